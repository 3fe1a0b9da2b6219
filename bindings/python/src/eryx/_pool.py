"""Pools: at most so many sandboxes at once, handed out to tasks and threads in the order they ask."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Unpack

from ._callbacks import collect
from ._errors import StateError
from ._options import SandboxOptions
from ._outcome import Outcome
from ._sandbox import Sandbox, Session

__all__ = ["Pool"]


class _Places:
    """A counter to wait for, by threads and by tasks of any event loop; first come, first served."""

    def __init__(self, count: int) -> None:
        self.lock = threading.Lock()
        self.free = count
        self.waiting: deque[concurrent.futures.Future[None]] = deque()
        self.closed = False

    def ask(self) -> concurrent.futures.Future[None]:
        place: concurrent.futures.Future[None] = concurrent.futures.Future()
        with self.lock:
            if self.closed:
                raise StateError("the pool is closed")
            if self.free > 0:
                self.free -= 1
                place.set_result(None)
            else:
                self.waiting.append(place)
        return place

    def give_back(self) -> None:
        with self.lock:
            while self.waiting:
                place = self.waiting.popleft()
                if place.set_running_or_notify_cancel():
                    place.set_result(None)
                    return
            self.free += 1

    def drop(self, place: concurrent.futures.Future[None]) -> None:
        """Who asked gave up waiting."""
        if not place.cancel():
            self.give_back()

    def close(self) -> None:
        with self.lock:
            self.closed = True
            waiting = list(self.waiting)
            self.waiting.clear()
        for place in waiting:
            if place.set_running_or_notify_cancel():
                place.set_exception(StateError("the pool is closed"))


class Pool:
    """At most `size` sandboxes at once, all with the same options (those of Sandbox). Each is fresh:
    nothing goes from one to the next.

    >>> async def main():
    ...     async with eryx.Pool(2, timeout=5) as pool:
    ...         outcomes = await asyncio.gather(*[pool.run(f"{n} ** 2") for n in range(5)])
    ...         async with pool.session() as session:
    ...             await session.execute("total = 0")
    ...         return [outcome.value for outcome in outcomes]
    >>> asyncio.run(main())
    [0, 1, 4, 9, 16]
    """

    def __init__(self, size: int, **options: Unpack[SandboxOptions]) -> None:
        if isinstance(size, bool) or not isinstance(size, int):
            raise TypeError(f"size must be int, not {type(size).__name__}")
        if size < 1:
            raise ValueError(f"size of {size}: must be at least 1")
        if "callbacks" in options:  # their schemas are made once
            options["callbacks"] = collect(options["callbacks"])
        self.size = size
        self._options = options
        self._places = _Places(size)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A fresh Session, when there is a place: `async with pool.session() as session:`."""
        place = self._places.ask()
        if not place.done():
            try:
                await asyncio.wrap_future(place)
            except asyncio.CancelledError:
                self._places.drop(place)
                raise
        place.result()
        try:
            async with Session(**self._options) as session:
                yield session
        finally:
            self._places.give_back()

    @contextmanager
    def sandbox(self) -> Iterator[Sandbox]:
        """A fresh Sandbox, when there is a place; for threads: `with pool.sandbox() as sandbox:`.

        >>> pool = eryx.Pool(4, timeout=5)
        >>> with pool.sandbox() as sandbox:
        ...     sandbox.execute("6 * 7").value
        42
        """
        place = self._places.ask()
        try:
            place.result()
        except BaseException:
            if place.done() and place.exception() is not None:
                raise
            self._places.drop(place)
            raise
        try:
            with Sandbox(**self._options) as sandbox:
                yield sandbox
        finally:
            self._places.give_back()

    async def run(self, code: str, *, check: bool = True, result: bool | str = True,
                  filename: str | None = None) -> Outcome:
        """Runs one program in a fresh sandbox; see Session.execute."""
        async with self.session() as session:
            return await session.execute(code, check=check, result=result, filename=filename)

    def close(self) -> None:
        """Nobody gets a place any more: StateError, for those who wait too. Sandboxes that are in use
        stay so.

        >>> pool = eryx.Pool(1)
        >>> pool.close()
        >>> asyncio.run(pool.run("1"))
        Traceback (most recent call last):
        eryx.StateError: the pool is closed
        """
        self._places.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def __aenter__(self) -> Pool:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<eryx.Pool of {self.size}>"
