eryx run --json --result r -c 'r = [10**30, 0.1]' > a.json
status=$?
python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o.pop("wall_time_ms") > 0
print(o["result"], "result_error" in o)' < a.json
exit $status
