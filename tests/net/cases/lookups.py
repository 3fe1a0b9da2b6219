# options: --allow-net *.test --allow-net-local --net-name a.test=127.0.0.1 --net-name b.test=127.0.0.2
# options: --net-name c.test=127.0.0.3 --net-name d.test=127.0.0.4
# Names that are looked up at once, again and again: whoever is told first starts the next lookup, which
# gets the number of one that ended at the same moment and whose task was not yet told.
import asyncio
import socket

loop = asyncio.get_running_loop()


async def chain(name, address, count):
    for _ in range(count):
        infos = await loop.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
        if [info[4][0] for info in infos] != [address]:
            raise ValueError(infos)
    return count


names = {'a.test': '127.0.0.1', 'b.test': '127.0.0.2', 'c.test': '127.0.0.3', 'd.test': '127.0.0.4'}
async with asyncio.timeout(30):
    done = await asyncio.gather(*[chain(name, address, 20) for name, address in names.items()
                                  for _ in range(8)])
print(sum(done))

# Cancelled before and after they are answered; what is left of them ends nobody else's.
for delay in 0, 0.0001, 0.001:
    tasks = [asyncio.create_task(chain(*item, 5)) for item in names.items() for _ in range(8)]
    await asyncio.sleep(delay)
    for task in tasks[::2]:
        task.cancel()
    async with asyncio.timeout(30):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    print(results[1::2] == [5] * 16,
          all(result == 5 or isinstance(result, asyncio.CancelledError) for result in results[::2]))
