"""Drivers: who runs programs while Python does something else.

An event loop in use has one driver, whose descriptor it watches with add_reader; so has a thread that
waits for a program. Drivers are used again, and closed at the end of the process.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import weakref
from collections import deque

from . import _eryx
from ._execution import AsyncRun

__all__ = ["set_loop_threads"]

KEPT = 4

_lock = threading.Lock()
_spare: dict[int, list[_eryx.Driver]] = {}
_live: set[_eryx.Driver] = set()
# The loop itself keeps its driver, as a reader, so that both can go together.
_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[LoopDriver]] = \
    weakref.WeakKeyDictionary()
_loop_threads = min(4, os.cpu_count() or 1)


def set_loop_threads(count: int) -> None:
    """How many threads run the programs of one event loop (default: one a processor, at most 4).

    With 0 they run on the loop's own thread: a callback costs less, but a program that computes holds
    up the loop, and can be stopped by its limits only. Counts for loops that have no program running.

    >>> eryx.set_loop_threads(2)
    """
    global _loop_threads
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"count must be int, not {type(count).__name__}")
    if not 0 <= count <= 64:
        raise ValueError(f"{count} threads: must be between 0 and 64")
    _loop_threads = count


def take_driver(threads: int = 1) -> _eryx.Driver:
    """A driver for the caller alone."""
    with _lock:
        spare = _spare.get(threads)
        if spare:
            return spare.pop()
    driver = _eryx.Driver(threads)
    with _lock:
        _live.add(driver)
    return driver


def give_back(driver: _eryx.Driver, threads: int = 1) -> None:
    """One that has nothing running."""
    with _lock:
        spare = _spare.setdefault(threads, [])
        if len(spare) < KEPT:
            spare.append(driver)
            return
    discard(driver)


def discard(driver: _eryx.Driver) -> None:
    """What still runs in it is interrupted."""
    with _lock:
        _live.discard(driver)
    driver.close()


class LoopDriver:
    """The driver of one event loop, while programs of it are running."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self.runs: dict[int, AsyncRun] = {}
        self.events: deque[_eryx._Event] = deque()
        self.raw: _eryx.Driver | None = None
        self.threads = 0

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        loop = self._loop()
        assert loop is not None
        return loop

    @staticmethod
    def running() -> LoopDriver:
        """That of the loop that runs on this thread."""
        loop = asyncio.get_running_loop()
        known = _loops.get(loop)
        driver = known() if known is not None else None
        if driver is None:
            driver = LoopDriver(loop)
            _loops[loop] = weakref.ref(driver)
        return driver

    def enter(self, run: AsyncRun) -> _eryx.Driver:
        """The run is about to start."""
        if self.raw is None:
            self.threads = _loop_threads
            self.raw = take_driver(self.threads)
            self.loop.add_reader(self.raw.fileno(), self.drain)
        self.runs[id(run)] = run
        return self.raw

    def left(self, run: AsyncRun) -> None:
        """The run is over, or did not start."""
        self.runs.pop(id(run), None)
        raw = self.raw
        if self.runs or raw is None:
            return
        self.raw = None
        self.loop.remove_reader(raw.fileno())
        give_back(raw, self.threads)

    def drain(self) -> None:
        """What happened."""
        raw = self.raw
        if raw is None:
            return
        events = self.events
        events.extend(raw.drain())
        try:
            while events:
                token, kind, number, value = events.popleft()
                self.runs[token].handle_safely(kind, number, value)
        finally:
            if events:  # KeyboardInterrupt or the like; the loop may go on
                self.loop.call_soon(self.drain)

    def __del__(self) -> None:
        # The loop is gone with programs running: nobody can wait for them any more.
        if self.raw is not None:
            self.raw.close()


def _close_all() -> None:
    with _lock:
        drivers = list(_live)
        _live.clear()
        _spare.clear()
    for driver in drivers:
        driver.close()


def _after_fork() -> None:
    """The threads of the parent's drivers are not in the child."""
    global _lock
    _lock = threading.Lock()
    _spare.clear()
    _loops.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork)
