eryx run --json --result r -c 'r = {1}' > a.json
status=$?
python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o.pop("wall_time_ms") > 0
print(o["outcome"], o["exit_code"], o["result_error"][:30], "result" in o)' < a.json
exit $status
