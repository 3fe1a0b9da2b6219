cat > a.json <<'END'
[{"name": "bad", "command": ["sh", "-c", "echo one >&2; echo 'no such thing' >&2; echo >&2; exit 3"]},
 {"name": "quiet", "command": ["sh", "-c", "exit 3"]},
 {"name": "nothing", "command": ["true"]},
 {"name": "missing", "command": ["no-such-command"]},
 {"name": "killed", "command": ["sh", "-c", "kill -9 $$"]},
 {"name": "endless", "command": ["cat", "/dev/zero"]},
 {"name": "bytes", "command": ["printf", "\\377"]},
 {"name": "error_bytes", "command": ["sh", "-c", "printf '\\377' >&2; exit 1"]}]
END
cat > a.py <<'END'
from _eryx_driver import call, call_blocking
import asyncio, time
for name in 'bad', 'quiet', 'nothing', 'missing', 'killed', 'endless', 'bytes', 'error_bytes':
    print(await call(name, '{}'))
END
eryx run --callbacks a.json a.py
