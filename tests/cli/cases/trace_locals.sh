eryx run --trace t.json --trace-locals 40 -c 'x = 5
y = "a" * 100
z = 0'
python3 -c '
import json
for line in open("t.json"):
    e = json.loads(line)
    print(e["event"]["type"], e["lineno"], e["context"]["locals"])'
