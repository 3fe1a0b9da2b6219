eryx run --json -c 'import sys; sys.stdout.buffer.write(b"a\xff\xe2\x82b")' > a.json
status=$?
python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o.pop("wall_time_ms") > 0
print(ascii(o["stdout"]))' < a.json
exit $status
