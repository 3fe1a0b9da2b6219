"""The work of eryx-bench in one native process: prints one JSON object, as eryx-bench does.

    peers.py lifecycle | callbacks | session

Run by the native Python that the sandbox is compared with. The keys are eryx-bench's; the
values are medians in its units.
"""
import asyncio
import contextlib
import io
import json
import pickle
import statistics
import sys
import time


def median_us(work, count=2000, warm_up=50):
    samples = []
    for _ in range(warm_up + count):
        start = time.perf_counter_ns()
        work()
        samples.append((time.perf_counter_ns() - start) / 1e3)
    return statistics.median(samples[warm_up:])


def executor(names):
    def run(code):
        exec(compile(code, "<eryx>", "exec"), names)
    return run


def lifecycle():
    run = executor({})

    def printed():
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            run('print("hello")')
        return stream.getvalue()

    once, print_once = median_us(lambda: run("x=1")), median_us(printed)
    return {"exec_us": once, "exec_new_us": once, "print_us": print_once,
            "print_new_us": print_once}


def callbacks():
    async def echo(value):
        return value

    async def one_by_one():
        for i in range(1000):
            await echo(i)

    async def at_once():
        await asyncio.gather(*[echo(i) for i in range(1000)])

    async def overlapping():
        await asyncio.gather(*[asyncio.sleep(0.01) for _ in range(100)])

    with asyncio.Runner() as runner:
        return {"callback_us": median_us(lambda: runner.run(one_by_one()), 50, 5) / 1e3,
                "callback_gather_us": median_us(lambda: runner.run(at_once()), 50, 5) / 1e3,
                "overlap_ms": median_us(lambda: runner.run(overlapping()), 50, 5) / 1e3}


def loop():
    total = 0
    for i in range(100000):
        total += i
    return total


def trace_slowdown():
    def tracer(frame, event, arg):
        return tracer

    def traced():
        sys.settrace(tracer)
        loop()
        sys.settrace(None)

    return median_us(traced, 10, 1) / median_us(loop, 10, 1)


def session():
    names = {f"name_{i}": [i] for i in range(98)}
    names["runs"] = 0
    run = executor(names)
    once = median_us(lambda: run("runs += name_1[0]"))
    few = {"count": 3, "title": "eryx", "items": [1, 2.5, None, "text"],
           "table": {"a": (1, 2), "b": {3, 4}}}
    data = pickle.dumps(few)
    return {"session_exec_us": once, "session_exec_new_us": once,
            "snapshot_us": median_us(lambda: pickle.dumps(few)),
            "restore_us": median_us(lambda: pickle.loads(data)),
            "trace_slowdown": trace_slowdown()}


if __name__ == "__main__":
    print(json.dumps({"lifecycle": lifecycle, "callbacks": callbacks, "session": session}
                     [sys.argv[1]]()))
