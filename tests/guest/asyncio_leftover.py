# What is still running when the program ends is cancelled and may clean up.
import asyncio


async def polite(name):
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        await asyncio.sleep(0.001)
        print(name, 'cleaned up')
        raise


async def stubborn():
    while True:
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            print('ignored')


async def failing():
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        raise ValueError('while cancelled')


async def numbers():
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)
        print('generator closed')
        closed.set()


closed = asyncio.Event()
tasks = [asyncio.create_task(each) for each in (polite("a"), stubborn(), failing())]
async for number in numbers():
    break
asyncio.get_running_loop().call_later(100, print, 'never')
await closed.wait()
print('end')
