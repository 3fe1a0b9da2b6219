# What asyncio offers, at top level and in functions.
import asyncio
import time

started = time.monotonic()


async def after(seconds, value):
    await asyncio.sleep(seconds)
    return value


print(await asyncio.gather(*[after((5 - i) / 100, i) for i in range(5)]))
print([await each for each in asyncio.as_completed([after(0.03, 'c'), after(0.01, 'a'), after(0.02, 'b')])])

async with asyncio.TaskGroup() as group:
    tasks = [group.create_task(after(0.01, i)) for i in range(3)]
print([task.result() for task in tasks])

try:
    async with asyncio.timeout(0.01):
        await asyncio.sleep(10)
except TimeoutError:
    print('timeout')
try:
    await asyncio.wait_for(asyncio.sleep(10), 0.01)
except TimeoutError:
    print('wait_for')

queue = asyncio.Queue(2)


async def produce():
    for i in range(5):
        await queue.put(i)
    await queue.put(None)


producer = asyncio.create_task(produce())
received = []
while (item := await queue.get()) is not None:
    received.append(item)
print(received, producer.done())

event, semaphore, lock = asyncio.Event(), asyncio.Semaphore(2), asyncio.Lock()
condition, barrier = asyncio.Condition(), asyncio.Barrier(3)
inside = peak = 0


async def limited():
    global inside, peak
    async with semaphore:
        inside += 1
        peak = max(peak, inside)
        await asyncio.sleep(0.001)
        async with lock:
            inside -= 1


await asyncio.gather(*[limited() for _ in range(6)])
print('peak', peak)
asyncio.get_running_loop().call_later(0.01, event.set)
print(await event.wait(), sorted(await asyncio.gather(*[barrier.wait() for _ in range(3)])))


async def notified():
    async with condition:
        await condition.wait()
        return 'notified'


waiter = asyncio.create_task(notified())
await asyncio.sleep(0)
async with condition:
    condition.notify()
print(await waiter)

done, pending = await asyncio.wait([asyncio.create_task(after(0.01, 1)), asyncio.create_task(after(9, 2))],
                                   return_when=asyncio.FIRST_COMPLETED)
print(len(done), len(pending))
for task in pending:
    task.cancel()

inner = asyncio.create_task(after(0.02, 'shielded'))
outer = asyncio.create_task(asyncio.wait_for(asyncio.shield(inner), 0.005))
try:
    await outer
except TimeoutError:
    print(await inner)


async def count(n):
    try:
        for i in range(n):
            await asyncio.sleep(0)
            yield i
    finally:
        print('generator closed')


print([i async for i in count(3)], {i: i async for i in count(2)})
async for i in count(10):
    if i == 1:
        break
print(sum([x async for x in count(4) if x % 2]))
print(await asyncio.to_thread(lambda: 'in line'), await asyncio.get_running_loop().run_in_executor(None, max, 1, 2))
try:
    await asyncio.to_thread(int, 'x')
except ValueError as error:
    print(error)

loop = asyncio.get_running_loop()
order = []
loop.call_later(0.02, order.append, 'second')
loop.call_later(0.01, order.append, 'first')
loop.call_later(0.005, order.append, 'never').cancel()
loop.call_soon(order.append, 'soon')
await asyncio.sleep(0.03)
print(order)
print(sum(await asyncio.gather(*[after(0.001 * (i % 7), i) for i in range(2000)])))


async def spin():
    for _ in range(5000):
        await asyncio.sleep(0)
    return 'spun'


print(await asyncio.gather(spin(), after(0.01, 'timer')))
print(isinstance(loop, asyncio.AbstractEventLoop), loop.is_running(), loop.get_debug())
print('in time', time.monotonic() - started < 5)
