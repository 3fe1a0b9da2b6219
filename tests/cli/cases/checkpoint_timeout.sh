# At its time limit a program that waits is written and left; it goes on with what is left of its sleep.
eryx run --checkpoint job.ckpt --timeout 300ms -c 'import asyncio
local = [1, 2]
print("before", flush=True)
await asyncio.sleep(0.6)
print("after", local)'
echo "left with $?"
eryx resume job.ckpt
echo "ended with $?"
ls
