cat > a.json <<'END'
[{"name": "cat", "command": ["cat"], "parameters": {"type": "object", "properties": {"x": {}}}},
 {"name": "math.double", "command": ["python3", "-c", "import json, sys; print(json.load(sys.stdin)['x'] * 2)"]},
 {"name": "plain", "command": ["cat"], "blocking": true}]
END
cat > a.py <<'END'
from _eryx_driver import call, call_blocking
import asyncio, time
print(await call('cat', '{"x": "ä"}'))
print(await call('math.double', '{"x": 21}'))
print(call_blocking('plain', '{"x": 1}'))
END
eryx run --callbacks a.json a.py
