eryx run --json -c 'print(1); 1 / 0' > a.json
status=$?
python3 -c '
import json, sys
o = json.load(sys.stdin)
assert o.pop("wall_time_ms") > 0
print(o["outcome"], o["exit_code"], repr(o["stdout"]))
e = o["exception"]
print(e["type"], e["message"], e["traceback"].splitlines()[0], sep="; ")' < a.json
exit $status
