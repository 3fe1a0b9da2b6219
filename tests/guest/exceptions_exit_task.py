# sys.exit in a task ends the program with its code; finally blocks run.
import asyncio
import sys


async def worker():
    await asyncio.sleep(0.001)
    sys.exit(9)


task = asyncio.create_task(worker())
try:
    await asyncio.sleep(10)
finally:
    print('finally')
