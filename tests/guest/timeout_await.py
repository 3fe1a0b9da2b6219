# timeout: 1
import asyncio

print('before', flush=True)
await asyncio.sleep(1000)
