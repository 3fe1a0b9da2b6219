eryx run --json -c 'for i in range(20): print("x" * 999999)' > a.json
status=$?
python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o.pop("wall_time_ms") > 0
print(len(o["stdout"]) + o["output_dropped_bytes"], o["output_dropped_bytes"] > 0, o["outcome"])' < a.json
exit $status
