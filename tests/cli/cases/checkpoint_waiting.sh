# Pending calls run again where the program goes on, as often as it does.
cat > tools.json <<'END'
[{"name": "slow", "command": ["sh", "-c", "until test -e go; do sleep 0.05; done; cat"]}]
END
eryx run --checkpoint job.ckpt --checkpoint-waiting --callbacks tools.json -c '
import asyncio
async def both(n):
    local = "x" * n
    return local, await slow(n=n)
print(await asyncio.gather(both(1), both(2)))'
echo "left with $?"
touch go
eryx resume --callbacks tools.json job.ckpt
eryx resume --callbacks tools.json job.ckpt
eryx resume job.ckpt
echo "refused with $?"
