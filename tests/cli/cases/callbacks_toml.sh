cat > a.toml <<'END'
# what the program may call
[[callback]]
name = "math.double"
description = "Doubles."
command = ["python3", "-c", "import json, sys; print(json.load(sys.stdin)['x'] * 2)"]
timeout = 5.5
[callback.parameters]
type = "object"
required = ["x"]
properties.x = {type = "number"}

[[callback]]
name = "plain"
command = ["cat"]
blocking = true
END
eryx run --callbacks a.toml -c 'print(await math.double(21), plain(y="ä")); print(math.double.__doc__)'
printf '' > b.toml
eryx run --callbacks b.toml -c 'print(list_callbacks())'
printf 'await math.double(4)\n' | eryx repl --callbacks a.toml
