cat > a.json <<'END'
[{"name": "cat", "command": ["cat"]}, {"name": "deaf", "command": ["echo", "1"]}]
END
cat > a.py <<'END'
from _eryx_driver import call, call_blocking
import asyncio, time
text = '"' + 'x' * 10**7 + '"'
print(await call('cat', text) == (True, text), await call('deaf', text))
END
eryx run --callbacks a.json a.py
