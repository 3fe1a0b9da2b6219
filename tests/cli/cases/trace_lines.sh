eryx run --trace t.json -c 'def f(x):
    return x + 1
f(1)
try:
    1 / 0
except ZeroDivisionError:
    print("caught")'
python3 -c '
import json
for line in open("t.json"):
    e = json.loads(line)
    assert e["lineno"] == e["event"]["line"], line
    print(e["event"]["type"], e["lineno"], e["context"]["function"], e["event"].get("exception", "-"))'
ls
