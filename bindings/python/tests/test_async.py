"""Sessions on event loops: overlap, cancellation, many at once."""
import asyncio
import contextvars
import gc
import time

import eryx
import pytest


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def test_calls_of_one_program_overlap():
    """None of 50 calls ends before all have begun."""
    async def main():
        running, all_run = 0, asyncio.Event()

        async def step(n: int) -> int:
            nonlocal running
            running += 1
            if running == 50:
                all_run.set()
            await all_run.wait()
            return n * n
        async with eryx.Session(callbacks=[step]) as session:
            outcome = await session.execute(
                "import asyncio\nsum(await asyncio.gather(*[step(i) for i in range(50)]))")
        assert outcome.value == sum(i * i for i in range(50))
    run(main())


def test_thousand_sessions_on_one_loop():
    """Each awaits one callback of 100 ms; all of them wait at the same time."""
    async def main():
        waiting, all_wait = 0, asyncio.Event()

        async def wait(n: int) -> int:
            nonlocal waiting
            waiting += 1
            if waiting == 1000:
                all_wait.set()
            await all_wait.wait()
            await asyncio.sleep(0.1)
            return n + 1
        sessions = [eryx.Session(callbacks=[wait]) for _ in range(1000)]
        outcomes = await asyncio.gather(
            *[session.execute(f"await wait({n})") for n, session in enumerate(sessions)])
        assert [outcome.value for outcome in outcomes] == list(range(1, 1001))
        for session in sessions:
            await session.close()
    run(main())


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_with_any_number_of_threads(threads):
    async def main():
        async def echo(n: int) -> int:
            await asyncio.sleep(0)
            return n
        outcomes = await asyncio.gather(*[
            eryx.run_async(f"t = 0\nfor i in range(20): t += await echo(i)\nt + {n}", callbacks=[echo])
            for n in range(20)])
        assert [outcome.value for outcome in outcomes] == [190 + n for n in range(20)]
    before = eryx._loop._loop_threads
    eryx.set_loop_threads(threads)
    try:
        run(main())
    finally:
        eryx.set_loop_threads(before)


def test_a_program_that_computes_does_not_hold_up_the_loop():
    async def main():
        async with eryx.Session(timeout=30) as session:
            task = asyncio.create_task(session.execute("while True: pass"))
            ticks = 0
            while not session.executing:
                await asyncio.sleep(0)
            for _ in range(20):
                await asyncio.sleep(0.001)
                ticks += 1
            assert not task.done() and ticks == 20
            session.interrupt()
            with pytest.raises(eryx.InterruptedError):
                await task
    run(main())


def test_cancelled_program_may_clean_up(monkeypatch):
    monkeypatch.setattr(eryx._execution, "RUNNING_GRACE", 30)

    async def main():
        started, cleaned = asyncio.Event(), []

        async def forever() -> None:
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cleaned.append("callback")
                raise

        async def note(text: str) -> None:
            cleaned.append(text)
        async with eryx.Session(callbacks=[forever, note]) as session:
            await session.execute("kept = 1")
            task = asyncio.create_task(session.execute(
                "try:\n    await forever()\nfinally:\n    await note('program')",
                cancel_grace=30))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert cleaned == ["callback", "program"]
            assert not session.executing
            assert (await session.execute("kept")).value == 1
    run(main())


@pytest.mark.parametrize("code", [
    "while True: pass",
    "import time; time.sleep(100)",
    "import asyncio\nwhile True:\n    try: await asyncio.sleep(100)\n    except BaseException: pass"])
def test_cancelling_what_does_not_want_to_end(code):
    async def main():
        async with eryx.Session(timeout=50) as session:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.execute(code, cancel_grace=0.05), 0.05)
            assert not session.executing
            assert (await session.execute("1 + 1")).value == 2
    run(main())


def test_cancelled_twice_does_not_wait_for_the_grace(monkeypatch):
    monkeypatch.setattr(eryx._execution, "RUNNING_GRACE", 1000)

    async def main():
        started, refused = asyncio.Event(), asyncio.Event()

        async def begin() -> None:
            started.set()
            await asyncio.Event().wait()

        def refuse() -> None:
            refused.set()
        async with eryx.Session(callbacks=[begin, refuse], timeout=50) as session:
            task = asyncio.create_task(session.execute(
                "import asyncio\nwhile True:\n    try: await begin()\n"
                "    except BaseException: refuse()", cancel_grace=1000))
            await started.wait()
            task.cancel()
            await refused.wait()
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    run(main())


def test_program_cancels_its_call():
    async def main():
        ends = []

        async def slow() -> None:
            try:
                await asyncio.sleep(100)
            finally:
                ends.append("slow")
        outcome = await eryx.run_async(
            "import asyncio\ntry:\n    await asyncio.wait_for(slow(), 0.01)\n"
            "except TimeoutError: r = 'late'\nr", callbacks=[slow])
        assert (outcome.value, ends) == ("late", ["slow"])
    run(main())


def test_calls_left_at_the_end_are_cancelled_and_awaited():
    async def main():
        ends, started = [], asyncio.Event()

        async def slow() -> None:
            started.set()
            try:
                await asyncio.sleep(100)
            finally:
                await asyncio.sleep(0.01)
                ends.append("slow")

        async def slow_started() -> None:
            await started.wait()
        await eryx.run_async("import asyncio\nt = asyncio.create_task(slow())\nawait slow_started()",
                             callbacks=[slow, slow_started])
        assert ends == ["slow"]
    run(main())


def test_timeout_while_waiting_for_the_host():
    async def main():
        async def never() -> None:
            await asyncio.Event().wait()
        with pytest.raises(eryx.LimitError):
            await eryx.run_async("await never()", callbacks=[never], timeout=0.05)
    run(main())


def test_context_variables_of_the_caller():
    user = contextvars.ContextVar("user")

    async def main():
        async def who() -> str:
            return user.get()

        def who_plain() -> str:
            return user.get()

        async def one(name):
            user.set(name)
            outcome = await eryx.run_async("[await who(), who_plain()]", callbacks=[who, who_plain])
            return outcome.value
        assert await asyncio.gather(one("a"), one("b")) == [["a", "a"], ["b", "b"]]
    run(main())


def test_one_execution_at_a_time():
    async def main():
        started = asyncio.Event()

        async def begin() -> None:
            started.set()
            await asyncio.Event().wait()
        async with eryx.Session(callbacks=[begin]) as session:
            task = asyncio.create_task(session.execute("await begin()"))
            await started.wait()
            with pytest.raises(eryx.StateError, match="executing already"):
                await session.execute("1")
            with pytest.raises(eryx.StateError, match="executing already"):
                await session.close()
            task.cancel()
            await asyncio.wait([task])
    run(main())


def test_leaving_while_another_task_awaits_the_program():
    async def main():
        async with eryx.Session(timeout=50) as session:
            task = asyncio.create_task(session.execute("while True: pass"))
            while not session.executing:
                await asyncio.sleep(0)
        assert session.closed
        with pytest.raises(eryx.InterruptedError):
            await task
    run(main())


def test_output_and_traces():
    async def main():
        seen, events = [], []
        async with eryx.Session(on_output=lambda stream, text: seen.append(text),
                                on_trace=events.append) as session:
            await session.execute("for i in range(3):\n    print(i)")
        assert "".join(seen) == "0\n1\n2\n"
        assert [event.type for event in events].count("line") >= 6
    run(main())


def test_output_handler_that_raises():
    async def main():
        def refuse(stream, text):
            raise RuntimeError("disk full")
        async with eryx.Session(on_output=refuse) as session:
            with pytest.raises(RuntimeError, match="disk full"):
                await session.execute("print('x')\nwhile True: pass")
            assert (await session.execute("2")).value == 2
    run(main())


def test_waiting_for_input_does_not_hold_up_others():
    async def main():
        def read(size):
            return b"line\n"
        readers = [eryx.run_async("sum(len(input()) for i in range(5))", stdin=read)
                   for _ in range(10)]
        others = [eryx.run_async("1") for _ in range(10)]
        outcomes = await asyncio.gather(*readers, *others)
        assert [outcome.value for outcome in outcomes] == [20] * 10 + [1] * 10
    run(main())


def test_snapshot_restore_clear():
    async def main():
        async with eryx.Session() as session:
            await session.execute("x = 1")
            data = await session.snapshot()
            await session.clear()
            await session.restore(data)
            assert (await session.execute("x")).value == 1
    run(main())


def test_blocking_sandbox_with_async_callbacks_under_a_loop_is_refused():
    async def one() -> int:
        return 1

    async def main():
        with eryx.Sandbox(callbacks=[one]) as sandbox:
            with pytest.raises(eryx.StateError, match="use eryx.Session"):
                sandbox.execute("await one()")
    run(main())


def test_loop_that_is_closed_with_a_program_running():
    """Nobody can await it any more; its thread and memory are given back."""
    loop = asyncio.new_event_loop()
    session = eryx.Session(timeout=50)

    async def start():
        task = asyncio.ensure_future(session.execute("while True: pass"))
        while not session.executing:
            await asyncio.sleep(0)
        return task
    task = loop.run_until_complete(start())
    task._log_destroy_pending = False
    loop.close()
    coroutine = task.get_coro()
    del loop, task
    coroutine.close()
    del coroutine, start
    deadline = time.monotonic() + 30
    while session.executing and time.monotonic() < deadline:
        gc.collect()
    assert not session.executing
    asyncio.run(session.close())
