# Waiting for what can never happen ends with an error, and finally blocks run.
import asyncio


async def stuck():
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        print('finally')


for way in (lambda: asyncio.run(stuck()),
            lambda: asyncio.new_event_loop().run_forever()):
    try:
        way()
    except RuntimeError as error:
        print(error)
try:
    asyncio.run(stuck())
except RuntimeError as error:
    print(str(error)[:8])
await asyncio.Event().wait()
