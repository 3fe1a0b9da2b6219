"""Sorting: numbers, keys, strings, tuples; bisection and a heap."""
import bisect
import heapq


def numbers(count, seed):
    for _ in range(count):
        seed = (seed * 16807) % 2147483647
        yield seed


def run():
    values = list(numbers(40_000, 42))
    ordered = sorted(values)
    by_digit = sorted(values, key=lambda value: (value % 10, -value))
    strings = sorted(map(str, values[:30_000]))
    pairs = sorted((value % 1000, value) for value in values[:30_000])
    queue = values[:20_000]
    heapq.heapify(queue)
    smallest = [heapq.heappop(queue) for _ in range(10_000)]
    found = sum(bisect.bisect(ordered, value) for value in values[:20_000])
    picked = ordered[1234], by_digit[4321], strings[999], pairs[555], smallest[-1]
    return picked, found
