# Chained exceptions and a group, with the program's own lines only.
import asyncio


def parse(text):
    try:
        return int(text)
    except ValueError as error:
        raise RuntimeError('parse failed') from error


async def worker(text):
    await asyncio.sleep(0)
    parse(text)


async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(worker('x'))


asyncio.run(main())
