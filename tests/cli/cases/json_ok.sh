eryx run --json -c 'import sys; print("a\x07\"\\ä"); print(2, file=sys.stderr)' > a.json
status=$?
python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o.pop("wall_time_ms") > 0
print(o)' < a.json
exit $status
