# Everything the command started holds `alive` open for writing: cat ends when all of it is dead.
mkfifo alive started
cat > a.json <<'END'
[{"name": "hold", "timeout": 30, "command": ["sh", "-c", "exec 3> alive; sleep 60 & echo > started; sleep 60"]}]
END
cat > a.py <<'END'
from _eryx_driver import call, call_blocking
import asyncio, time
try:
    async with asyncio.timeout(0.3):
        await call('hold', '{}')
except TimeoutError:
    print('timed out')
END
eryx run --callbacks a.json a.py &
exec 4< alive
read line < started
wait $!
status=$?
cat <&4
echo "dead, $status"
