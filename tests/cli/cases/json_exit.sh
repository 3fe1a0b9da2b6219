eryx run --json -c 'import sys; sys.exit(7)' > a.json
status=$?
python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o.pop("wall_time_ms") > 0
print(o["outcome"], o["exit_code"])' < a.json
exit $status
