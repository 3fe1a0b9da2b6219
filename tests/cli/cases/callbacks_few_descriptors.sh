cat > a.json <<'END'
[{"name": "cat", "command": ["cat"]}]
END
cat > a.py <<'END'
from _eryx_driver import call, call_blocking
import asyncio, time
results = await asyncio.gather(*(call('cat', str(i)) for i in range(300)))
print(results == [(True, str(i)) for i in range(300)])
END
ulimit -n 64
eryx run --callbacks a.json a.py
