# asyncio.run and its relatives: at top level, deep in calls, and where CPython refuses it.
import asyncio
import contextvars
from asyncio import run as go

variable = contextvars.ContextVar('variable', default='unset')


async def main(value=1):
    await asyncio.sleep(0.01)
    variable.set('changed inside')
    return value


async def fails():
    await asyncio.sleep(0)
    raise ValueError('from run')


try:
    asyncio.get_running_loop()
except RuntimeError as error:
    print(error)

print(asyncio.run(main()), go(main(2)), variable.get())
if __name__ == '__main__':
    print(asyncio.run(main(3), debug=True))
for i in range(2):
    with open('/tmp/out', 'w') as file:
        print(asyncio.run(main(i)), file=file)
try:
    asyncio.run(fails())
except ValueError as error:
    print('caught', error)
finally:
    print('finally', asyncio.run(main(4)))
print([asyncio.run(main(i)) for i in (5, 6)], (lambda: asyncio.run(main(7)))())


def deep(value):
    return asyncio.run(main(value))


class Tool:
    result = asyncio.run(main(8))

    def run(self, argument):
        return argument


print(deep(9), Tool.result, Tool().run(10))


async def nested():
    task = asyncio.current_task()
    value = deep(11)
    assert asyncio.current_task() is task
    return value


print(asyncio.run(nested()))

with asyncio.Runner() as runner:
    print(runner.run(main(12)), runner.run(main(13)))
loop = asyncio.new_event_loop()
print(loop.run_until_complete(main(14)))
loop.call_later(0.01, loop.stop)
loop.run_forever()
loop.close()
try:
    loop.call_soon(print)
except RuntimeError as error:
    print(error)


async def leaves_tasks():
    async def endless():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            print('cancelled')
            raise

    asyncio.create_task(endless())
    await asyncio.sleep(0)


asyncio.run(leaves_tasks())
for wrong in 5, asyncio.sleep:
    try:
        asyncio.run(wrong)
    except TypeError as error:
        print(type(error).__name__)


async def exits():
    raise SystemExit(5)


try:
    asyncio.run(exits())
except SystemExit as error:
    print('exit', error.code)
