eryx run --json --cpu-time 50ms -c 'while True: pass' > a.json
status=$?
python3 -c '
import json, sys
o = json.load(sys.stdin)
print(o["outcome"], o["message"], o["limit"].pop("used") >= 50000000, o["limit"])' < a.json
exit $status
