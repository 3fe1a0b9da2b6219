"""Generators: pipelines, recursion with yield from, comprehensions, itertools, async coroutines."""
import itertools


def count_up(limit):
    n = 0
    while n < limit:
        yield n
        n += 1


def only_odd(values):
    for value in values:
        if value & 1:
            yield value


def walk(depth):
    if depth:
        yield from walk(depth - 1)
        yield depth
        yield from walk(depth - 1)


def accumulator():
    total = 0
    while True:
        total += yield total


async def pause(value):
    return value + 1


async def chain(count):
    value = 0
    for _ in range(count):
        value = await pause(value)
    return value


def run():
    total = sum(only_odd(count_up(500_000)))
    total += sum(walk(15))
    box = accumulator()
    next(box)
    for i in range(200_000):
        total += box.send(i) & 15
    total += sum(a * b for a, b in itertools.islice(itertools.product(range(400), repeat=2), 100_000))
    try:
        chain(200_000).send(None)
    except StopIteration as done:
        total += done.value
    return total
