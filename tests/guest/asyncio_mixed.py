# await and asyncio.run in one program, and context variables.
import asyncio
import contextvars

variable = contextvars.ContextVar('variable', default='unset')


async def get():
    await asyncio.sleep(0.01)
    return variable.get()


async def fails():
    await asyncio.sleep(0)
    raise KeyError('k')


task = asyncio.current_task()
variable.set('top')
print(await get(), asyncio.run(get()), asyncio.current_task() is task)
try:
    asyncio.run(fails())
except KeyError as error:
    print(repr(error))
ticks = []


async def tick():
    while True:
        ticks.append(1)
        await asyncio.sleep(0.001)


ticker = asyncio.create_task(tick())
await asyncio.sleep(0.005)
before = len(ticks)
asyncio.run(asyncio.sleep(0.02))
# One may run before the nested loop starts and one when it has ended; about 20 if all went on.
print('others stand still', len(ticks) - before <= 4)
await asyncio.sleep(0.005)
print('and go on', len(ticks) > before + 1)
print(asyncio.get_running_loop() is ticker.get_loop())
