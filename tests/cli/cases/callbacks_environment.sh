SEEN=yes; export SEEN
cat > a.json <<'END'
[{"name": "see", "command": ["sh", "-c", "echo \"\\\"$SEEN\\\"\""]}]
END
cat > a.py <<'END'
from _eryx_driver import call, call_blocking
import asyncio, time
print(await call("see", "{}"))
END
eryx run --callbacks a.json a.py
