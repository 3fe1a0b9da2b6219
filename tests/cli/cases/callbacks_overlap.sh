cat > a.json <<'END'
[{"name": "slow", "command": ["sh", "-c", "sleep 0.5; cat"]}]
END
cat > a.py <<'END'
from _eryx_driver import call, call_blocking
import asyncio, time
begin = time.monotonic()
results = await asyncio.gather(*(call('slow', str(i)) for i in range(40)))
print(results == [(True, str(i)) for i in range(40)], time.monotonic() - begin < 10)
END
eryx run --callbacks a.json a.py
