eryx run --json --timeout 50ms -c 'while True: pass' > a.json
status=$?
python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o.pop("wall_time_ms") > 0
print(o["outcome"], o["exit_code"], o["message"], o["limit"].pop("used") >= 50000000, o["limit"])' < a.json
exit $status
