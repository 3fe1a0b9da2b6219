python3 -c 'print("a = " + "[" * 100000)' > a.toml
eryx run --callbacks a.toml -c 1
