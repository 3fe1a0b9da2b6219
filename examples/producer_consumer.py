"""Producers and consumers around a bounded queue, with a deadline and a failing job.

    eryx run examples/producer_consumer.py

await works at the top level; asyncio.run(main()) would work as well.
"""
import asyncio
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    producer: str
    number: int

    @property
    def broken(self):
        return self.number % 10 == 7


async def produce(name, count, queue):
    for number in range(count):
        await queue.put(Job(name, number))
        await asyncio.sleep(0.001)
    return count


async def work(job):
    await asyncio.sleep(0.002)
    if job.broken:
        raise ValueError(f'{job.producer}{job.number} is broken')
    return job.number ** 2


async def consume(queue, done, failed):
    while (job := await queue.get()) is not None:
        try:
            done.append(await work(job))
        except ValueError as error:
            failed.append(str(error))
        finally:
            queue.task_done()
    queue.task_done()


async def pipeline(producers, consumers, jobs):
    queue, done, failed = asyncio.Queue(maxsize=4), [], []
    async with asyncio.TaskGroup() as group:
        for _ in range(consumers):
            group.create_task(consume(queue, done, failed))
        sent = await asyncio.gather(*(produce(name, jobs, queue) for name in producers))
        for _ in range(consumers):
            await queue.put(None)
        await queue.join()
    return sum(sent), done, failed


async def with_deadline():
    try:
        async with asyncio.timeout(0.05):
            await asyncio.Event().wait()
    except TimeoutError:
        return 'the deadline came first'


async def first_of(delays):
    tasks = [asyncio.create_task(asyncio.sleep(delay, delay)) for delay in delays]
    finished, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    results = await asyncio.gather(*pending, return_exceptions=True)
    return finished.pop().result(), sum(isinstance(result, asyncio.CancelledError) for result in results)


sent, done, failed = await pipeline('ABC', consumers=3, jobs=20)
print(f'{sent} jobs sent, {len(done)} done, sum of squares {sum(done)}')
print('failed:', ', '.join(sorted(failed)))

start = time.monotonic()
await asyncio.gather(*(asyncio.sleep(0.1) for _ in range(50)))
print('50 sleeps of 0.1 s at once take less than 1 s:', time.monotonic() - start < 1)
print(await with_deadline())
print('fastest of three: %s s, %d cancelled' % await first_of([0.5, 0.01, 0.3]))

try:
    async with asyncio.TaskGroup() as group:
        group.create_task(work(Job('X', 7)))
        group.create_task(asyncio.sleep(60))
except* ValueError as errors:
    print('a failure ends the group:', *errors.exceptions)
