import json
import math

import ujson

print(ujson.__file__.rpartition("/")[2], ujson.__version__)
print(ujson.dumps({"a": [1, 1.1, 1e300, None, True, "é\u20ac\U0001f600"], "b": {}}))
print(ujson.dumps([1.5, "</x>"], escape_forward_slashes=False, indent=2))
print(ujson.dumps({"b": 1, "a": 2}, sort_keys=True, separators=(", ", ": ")))
numbers = [0.1, -0.0, 1 / 3, 2**53 + 1, 5e-324, 1.7976931348623157e308, 12345678901234567890, -2**63]
print(ujson.loads(ujson.dumps(numbers)) == numbers, ujson.loads("[1e5, 1E-5, -0.0]"))
text = json.dumps({str(i): [i, i / 7, str(i) * 3] for i in range(2000)})
print(ujson.loads(text) == json.loads(text), json.loads(ujson.dumps(json.loads(text))) == json.loads(text))
print(ujson.dumps([math.pi, 10**30][:1]), ujson.decode('"\\ud83d\\ude00"'))
for bad in ("", "[1,", "{'a': 1}", "[1e]", '"\\x"', "nul"):
    try:
        ujson.loads(bad)
    except ValueError as error:
        print(type(error).__name__, error)
for bad in (float("nan"), object(), "\ud800"):
    try:
        print(ujson.dumps(bad, allow_nan=False))
    except Exception as error:
        print(type(error).__name__)
deep = []
for _ in range(5000):
    deep = [deep]
try:
    ujson.dumps(deep)
except OverflowError as error:
    print(error)
