# KeyboardInterrupt is not caught by `except Exception`.
import asyncio


async def worker():
    raise KeyboardInterrupt


try:
    await asyncio.gather(worker(), asyncio.sleep(1))
except Exception:
    print('wrong')
