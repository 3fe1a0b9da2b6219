"""Stands in for the module pyperf in the programs of pyperformance.

The real one starts a process for each value, which a sandbox can't. This one runs a benchmark in the
process it is in: as many loops as take MIN_SECONDS, VALUES times, and prints the best time of one
loop as a line `RESULT {"name": ..., "seconds": ...}`.
"""
import argparse
import json
import platform
import sys
from time import perf_counter  # noqa: F401 (part of the interface)

MIN_SECONDS = 0.1
VALUES = 4
MOST_SECONDS = 3.0  # of all values together


def python_implementation():
    return platform.python_implementation().lower()


class Runner:
    def __init__(self, values=None, processes=None, loops=None, min_time=None, metadata=None,
                 add_cmdline_args=None, **_):
        self.argparser = argparse.ArgumentParser()
        self.metadata = dict(metadata or {})
        self.args = None

    def parse_args(self, args=None):
        if self.args is None:
            self.args = self.argparser.parse_args(args)
        return self.args

    def bench_time_func(self, name, time_func, *args, inner_loops=None, **_):
        """time_func(loops, *args) returns the seconds that so many loops took."""
        self.parse_args()
        loops = 1
        spent = seconds = time_func(loops, *args)
        while seconds < MIN_SECONDS:
            loops *= 2 if seconds * 8 > MIN_SECONDS else 8
            seconds = time_func(loops, *args)
            spent += seconds
        best = seconds
        for _ in range(VALUES - 1):
            if spent > MOST_SECONDS:
                break
            seconds = time_func(loops, *args)
            spent += seconds
            best = min(best, seconds)
        result = {"name": name, "seconds": best / loops / (inner_loops or 1)}
        print("RESULT " + json.dumps(result), flush=True)

    def bench_func(self, name, func, *args, inner_loops=None, **_):
        def time_func(loops):
            start = perf_counter()
            for _ in range(loops):
                func(*args)
            return perf_counter() - start
        self.bench_time_func(name, time_func, inner_loops=inner_loops)

    def bench_async_func(self, name, func, *args, inner_loops=None, loop_factory=None, **_):
        import asyncio

        async def timed(loops):
            start = perf_counter()
            for _ in range(loops):
                await func(*args)
            return perf_counter() - start

        def time_func(loops):
            if loop_factory is None:
                return asyncio.run(timed(loops))
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                return runner.run(timed(loops))
        self.bench_time_func(name, time_func, inner_loops=inner_loops)

    def bench_command(self, name, command, **_):
        sys.exit(f"{name} starts processes: {' '.join(map(str, command[:3]))} ...")
