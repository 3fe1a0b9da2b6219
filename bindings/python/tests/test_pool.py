"""Pools: bounds, order, giving up, closing."""
import asyncio
import threading

import eryx
import pytest


def test_no_more_at_once_than_the_size():
    async def main():
        running = most = 0
        full = asyncio.Event()

        async def work() -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            if running == 3:
                full.set()
            await full.wait()
            running -= 1
        async with eryx.Pool(3, callbacks=[work]) as pool:
            await asyncio.gather(*[pool.run("await work()") for _ in range(12)])
        assert most == 3
    asyncio.run(main())


def test_sandboxes_are_fresh():
    async def main():
        async with eryx.Pool(1) as pool:
            await pool.run("x = 1")
            assert (await pool.run("'x' in globals()")).value is False
            async with pool.session() as session:
                await session.execute("x = 1")
                assert (await session.execute("x")).value == 1
            assert session.closed
    asyncio.run(main())


def test_threads_and_tasks_share_it():
    pool = eryx.Pool(1)

    async def main():
        async with pool.session():
            thread = threading.Thread(target=work)
            thread.start()
            await asyncio.sleep(0.01)
            assert not values
        await asyncio.to_thread(thread.join)
        return (await pool.run("'loop'")).value

    values = []

    def work():
        with pool.sandbox() as sandbox:
            values.append(sandbox.execute("'thread'").value)
    assert (asyncio.run(main()), values) == ("loop", ["thread"])


def test_who_gives_up_waiting_does_not_keep_a_place():
    async def main():
        async with eryx.Pool(1) as pool:
            async with pool.session():
                waiting = [asyncio.create_task(pool.run("1")) for _ in range(3)]
                await asyncio.sleep(0)
                waiting[0].cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting[0]
                # This one gets the place and is cancelled before it can know.
                last = waiting[1]
            last.cancel()
            with pytest.raises(asyncio.CancelledError):
                await last
            assert (await asyncio.wait_for(waiting[2], 30)).value == 1
            assert (await asyncio.wait_for(pool.run("2"), 30)).value == 2
    asyncio.run(main())


def test_failures_give_the_place_back():
    async def main():
        async with eryx.Pool(1) as pool:
            for _ in range(3):
                with pytest.raises(eryx.GuestError):
                    await pool.run("1 / 0")
            assert (await pool.run("3")).value == 3
    asyncio.run(main())


def test_closing():
    async def main():
        pool = eryx.Pool(1)
        async with pool.session() as session:
            waiting = asyncio.create_task(pool.run("1"))
            await asyncio.sleep(0)
            pool.close()
            with pytest.raises(eryx.StateError, match="the pool is closed"):
                await waiting
            assert (await session.execute("1")).value == 1
        with pytest.raises(eryx.StateError, match="the pool is closed"):
            await pool.run("1")
    asyncio.run(main())


@pytest.mark.parametrize("size, error", [(0, ValueError), ("2", TypeError), (True, TypeError)])
def test_wrong_sizes(size, error):
    with pytest.raises(error, match="size"):
        eryx.Pool(size)
