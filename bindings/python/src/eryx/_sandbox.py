"""Sandboxes: `Sandbox` for threads that wait, `Session` for event loops, `run` for one program."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TypeVar, Unpack

from . import _eryx
from ._errors import EngineError, StateError
from ._execution import AsyncRun, Handlers, Run
from ._files import AsyncFiles, Files
from ._loop import LoopDriver, discard, give_back, take_driver
from ._options import SandboxOptions, check as check_type, parse
from ._outcome import Outcome

__all__ = ["Sandbox", "Session", "run", "run_async"]

Self = TypeVar("Self", bound="_Base")

_MAIN = threading.main_thread()


def _result_name(result: bool | str) -> str | None:
    """What eryx_execute_options_t.result is to be."""
    if isinstance(result, str):
        if not result:
            raise ValueError("result is empty: give a variable's name, or True")
        return result
    check_type("result", result, bool)
    return "" if result else None


class _Base:
    """What blocking and async sandboxes have in common."""

    _raw: _eryx.Sandbox
    _handlers: Handlers
    _run: AsyncRun | None = None

    def __init__(self, **options: Unpack[SandboxOptions]) -> None:
        runtime, raw, self._handlers = parse(options)
        self._raw = _eryx.Sandbox(runtime._raw, raw)
        self._begin()

    def _begin(self) -> None:
        """What a fresh session begins with."""
        if self._handlers.prelude is not None:
            outcome = self._raw.execute(self._handlers.prelude, None, False, None, None, False)
            if outcome.exit_code != 0:
                raise EngineError(f"a session cannot begin: {outcome.exception_message}")

    def _clear(self) -> None:
        self._raw.clear()
        self._begin()

    def _outcome(self, run: Run) -> Outcome:
        outcome = run.result()
        if outcome.session_lost and not self._raw.closed:
            self._begin()
        return outcome

    @classmethod
    def _of(cls: type[Self], raw: _eryx.Sandbox, handlers: Handlers) -> Self:
        made = cls.__new__(cls)
        made._raw, made._handlers = raw, handlers
        return made

    @classmethod
    def _from_checkpoint(cls: type[Self], data: bytes | Iterable[bytes],
                         options: SandboxOptions) -> Self:
        parts = (data,) if isinstance(data, bytes) else tuple(data)
        for part in parts:
            check_type("a part of a checkpoint", part, bytes)
        runtime, raw, handlers = parse(options)
        return cls._of(_eryx.Sandbox.resume(runtime._raw, raw, parts), handlers)

    def _fork(self: Self, count: int) -> list[Self]:
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError(f"count must be int, not {type(count).__name__}")
        return [self._of(self._raw.fork(), self._handlers) for _ in range(count)]

    @property
    def waiting(self) -> bool:
        """Whether a program that was waiting when a fork or checkpoint was made can go on: resume()."""
        return self._raw.waiting

    def placeholder(self, name: str) -> str | None:
        """What programs see instead of a secret's value; None: there is no such secret."""
        return self._raw.placeholder(name)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._raw.closed

    @property
    def executing(self) -> bool:
        """Whether a program is running or waiting in it."""
        return self._raw.executing

    def interrupt(self) -> None:
        """Stops the program at its next loop iteration; its execution raises InterruptedError.
        Without one nothing happens. Any thread may call it."""
        self._raw.interrupt()

    def __repr__(self) -> str:
        state = "closed" if self.closed else "executing" if self.executing else "idle"
        return f"<eryx.{type(self).__name__} {state}>"


class Sandbox(_Base):
    """A Python of its own. Names persist from one execution to the next. Blocks the calling thread;
    other threads run meanwhile, since the GIL is released.

    Its options are those of SandboxOptions.

    Use it in a `with`, or close it; one that is forgotten is closed when Python collects it.

    >>> with eryx.Sandbox(timeout=5) as sandbox:
    ...     _ = sandbox.execute("import math; radius = 2")
    ...     sandbox.execute("round(math.pi * radius ** 2, 2)").value
    12.57
    """

    _runner: asyncio.Runner | None = None

    def execute(self, code: str, *, check: bool = True, result: bool | str = True,
                filename: str | None = None, script: bool = False) -> Outcome:
        """Runs Python code (top-level await allowed) to its end.

        check: raise an ExecutionError unless it ended well; False: look at the outcome yourself.
        result: True: the outcome's value is that of the last expression; a name: of that variable.
        filename: of the code in tracebacks. script: run in a fresh `__main__`.

        Ctrl-C interrupts the program and raises KeyboardInterrupt. With async callbacks, they run in
        an event loop of the sandbox's own.

        >>> with eryx.Sandbox() as sandbox:
        ...     sandbox.execute("total = 6 * 7; print('done')", result="total").value
        42
        """
        check_type("code", code, str)
        outcome = self._execute(code, filename, script, _result_name(result))
        return outcome.check() if check else outcome

    def resume(self, *, check: bool = True) -> Outcome:
        """Lets the program go on that was waiting when this fork or checkpoint was made, to its end. Its
        pending calls come to the callbacks again. StateError unless `waiting`.

        >>> with eryx.Sandbox() as sandbox:
        ...     sandbox.resume()
        Traceback (most recent call last):
        eryx.StateError: no program waits in this sandbox
        """
        outcome = self._execute(None, None, False, None)
        return outcome.check() if check else outcome

    def _execute(self, code: str | None, filename: str | None, script: bool,
                 result: str | None) -> Outcome:
        handlers = self._handlers
        if handlers.has_async:
            return self._execute_in_loop(code, filename, script, result)
        run = Run(self._raw, handlers, code, filename)
        main_thread = threading.current_thread() is _MAIN
        if not handlers.streams:
            if not main_thread:
                run.execute(code, filename, script, result)
                return self._outcome(run)
            if run.execute_in_main(code, filename, script, result):
                return self._outcome(run)
        driver, started = take_driver(), False
        try:
            self._raw.start(code, filename, script, result, driver, None)
            started = True
            if main_thread:
                run.wait_in_main(driver)
            else:
                run.wait(driver, False)
        finally:
            if started and run.outcome is None:  # left by a second Ctrl-C: it may be running still
                discard(driver)
            else:
                give_back(driver)
        return self._outcome(run)

    def _execute_in_loop(self, code: str | None, filename: str | None, script: bool,
                         result: str | None) -> Outcome:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise StateError("an event loop is running in this thread: use eryx.Session and "
                             "`await session.execute(...)`")
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.run(_execute_async(self, code, filename, script, result, 1.0))

    @property
    def files(self) -> Files:
        """The sandbox's files, between executions."""
        return Files(self._raw)

    def snapshot(self, *, skip_unpicklable: bool = False) -> bytes:
        """The session's variables, functions, classes and imports as bytes.

        skip_unpicklable: leave out what cannot be saved; otherwise that is a StateError.

        >>> with eryx.Sandbox() as sandbox:
        ...     _ = sandbox.execute("words = ['to', 'be']")
        ...     data = sandbox.snapshot()
        ...     sandbox.clear()
        ...     sandbox.restore(data)
        ...     sandbox.execute("words").value
        ['to', 'be']
        """
        return self._raw.snapshot(skip_unpicklable)

    def restore(self, data: bytes) -> None:
        """Replaces the session's names by those of a snapshot; see there."""
        check_type("data", data, bytes)
        self._raw.restore(data)

    def clear(self) -> None:
        """Forgets the session's names and what programs changed in the interpreter.

        >>> with eryx.Sandbox() as sandbox:
        ...     _ = sandbox.execute("x = 1")
        ...     sandbox.clear()
        ...     sandbox.execute("'x' in globals()").value
        False
        """
        self._clear()

    def fork(self, count: int = 1) -> list[Sandbox]:
        """Independent copies of the session: memory, files, names, options. A program that awaits
        something is copied in the middle of it: see resume().

        >>> with eryx.Sandbox() as sandbox:
        ...     _ = sandbox.execute("n = 1")
        ...     [copy] = sandbox.fork()
        ...     copy.execute("n += 1; n").value, sandbox.execute("n").value
        (2, 1)
        """
        return self._fork(count)

    def checkpoint(self, *, incremental: bool = False, level: int = 1) -> bytes:
        """The whole session as bytes: memory, files, and a program that awaits something. They can be
        resumed by any process that has the same runtime file.

        incremental: only what has changed since the last checkpoint. level: of compression, -100 to 19.

        >>> with eryx.Sandbox() as sandbox:
        ...     _ = sandbox.execute("import re; words = re.compile('[a-z]+')")
        ...     data = sandbox.checkpoint()
        >>> with eryx.Sandbox.from_checkpoint(data) as sandbox:
        ...     sandbox.execute("words.findall('to be')").value
        ['to', 'be']
        """
        return self._raw.checkpoint(incremental, level)

    @classmethod
    def from_checkpoint(cls, data: bytes | Iterable[bytes],
                        **options: Unpack[SandboxOptions]) -> Sandbox:
        """A sandbox as it was. data: a checkpoint, or a list: a whole one and incremental ones after it.
        Callbacks, output, mounts, network and secrets are given again, as options.

        >>> with eryx.Sandbox() as sandbox:
        ...     _ = sandbox.execute("n = 1")
        ...     whole = sandbox.checkpoint()
        ...     _ = sandbox.execute("n += 1")
        ...     changes = sandbox.checkpoint(incremental=True)
        >>> with eryx.Sandbox.from_checkpoint([whole, changes], timeout=5) as sandbox:
        ...     sandbox.execute("n").value
        2
        """
        return cls._from_checkpoint(data, options)

    def close(self) -> None:
        """Gives the memory back. StateError while a program runs. Again: nothing."""
        self._raw.close()
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()


async def _execute_async(sandbox: _Base, code: str | None, filename: str | None, script: bool,
                         result: str | None, grace: float) -> Outcome:
    driver = LoopDriver.running()
    run = AsyncRun(sandbox._raw, sandbox._handlers, code, filename, driver, grace)
    try:
        sandbox._raw.start(code, filename, script, result, driver.enter(run), id(run))
    except BaseException:
        driver.left(run)
        raise
    sandbox._run = run
    try:
        await run.end()
    finally:
        sandbox._run = None
    return sandbox._outcome(run)


class Session(_Base):
    """A Python of its own for an event loop: like Sandbox, with async methods. Any number of them run
    on one loop; programs run on a few threads that all share.

    At the end of an `async with` a program that another task still awaits is interrupted.

    Its options are those of SandboxOptions. Async callbacks are tasks of the loop; plain ones run on it too.

    >>> async def main():
    ...     async def fetch(key: str) -> str:
    ...         await asyncio.sleep(0.01)
    ...         return key.upper()
    ...     async with eryx.Session(callbacks=[fetch]) as session:
    ...         _ = await session.execute("import asyncio\\n"
    ...                                   "a, b = await asyncio.gather(fetch('x'), fetch('y'))")
    ...         return (await session.execute("a + b")).value
    >>> asyncio.run(main())
    'XY'
    """

    async def execute(self, code: str, *, check: bool = True, result: bool | str = True,
                      filename: str | None = None, script: bool = False,
                      cancel_grace: float = 1.0) -> Outcome:
        """Runs Python code to its end; see Sandbox.execute.

        Cancelling the task that awaits this cancels the program: what it awaits raises
        CancelledError, so it may clean up. One that still goes on after cancel_grace seconds, or
        computes, is interrupted.

        >>> async def main():
        ...     async with eryx.Session() as session:
        ...         try:
        ...             async with asyncio.timeout(0.1):
        ...                 await session.execute("import asyncio; await asyncio.sleep(100)")
        ...         except TimeoutError:
        ...             return (await session.execute("6 * 7")).value
        >>> asyncio.run(main())
        42
        """
        check_type("code", code, str)
        outcome = await _execute_async(self, code, filename, script, _result_name(result),
                                       cancel_grace)
        return outcome.check() if check else outcome

    @property
    def files(self) -> AsyncFiles:
        """The sandbox's files, between executions."""
        return AsyncFiles(self._raw)

    async def snapshot(self, *, skip_unpicklable: bool = False) -> bytes:
        """The session's variables, functions, classes and imports as bytes; see Sandbox.snapshot."""
        return await asyncio.to_thread(self._raw.snapshot, skip_unpicklable)

    async def restore(self, data: bytes) -> None:
        """Replaces the session's names by those of a snapshot."""
        check_type("data", data, bytes)
        await asyncio.to_thread(self._raw.restore, data)

    async def clear(self) -> None:
        """Forgets the session's names and what programs changed in the interpreter."""
        await asyncio.to_thread(self._clear)

    async def resume(self, *, check: bool = True, cancel_grace: float = 1.0) -> Outcome:
        """Lets the program go on that was waiting when this fork or checkpoint was made; see
        Sandbox.resume."""
        outcome = await _execute_async(self, None, None, False, None, cancel_grace)
        return outcome.check() if check else outcome

    async def fork(self, count: int = 1) -> list[Session]:
        """Independent copies; see Sandbox.fork. While a program of this session awaits something, that
        is copied, too: `await copy.resume()`."""
        return await asyncio.to_thread(self._fork, count)

    async def checkpoint(self, *, incremental: bool = False, level: int = 1) -> bytes:
        """The whole session as bytes, also while its program awaits something; see
        Sandbox.checkpoint."""
        return await asyncio.to_thread(self._raw.checkpoint, incremental, level)

    @classmethod
    async def from_checkpoint(cls, data: bytes | Iterable[bytes],
                              **options: Unpack[SandboxOptions]) -> Session:
        """A session as it was; see Sandbox.from_checkpoint."""
        return await asyncio.to_thread(cls._from_checkpoint, data, options)

    async def close(self) -> None:
        """Gives the memory back. StateError while a program runs. Again: nothing."""
        self._raw.close()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        traceback: TracebackType | None) -> None:
        if self._run is not None:  # of another task
            self._raw.interrupt()
            await self._run.ended()
        await self.close()


def run(code: str, *, check: bool = True, result: bool | str = True, filename: str | None = None,
        **options: Unpack[SandboxOptions]) -> Outcome:
    """Runs one program in a fresh sandbox; for the options see SandboxOptions and Sandbox.execute.

    >>> eryx.run("sum(range(10))").value
    45
    >>> eryx.run("1 / 0")
    Traceback (most recent call last):
    eryx.GuestError: ZeroDivisionError: division by zero
    """
    with Sandbox(**options) as sandbox:
        return sandbox.execute(code, check=check, result=result, filename=filename)


async def run_async(code: str, *, check: bool = True, result: bool | str = True,
                    filename: str | None = None, **options: Unpack[SandboxOptions]) -> Outcome:
    """Runs one program in a fresh sandbox on the running event loop.

    >>> asyncio.run(eryx.run_async("6 * 7")).value
    42
    """
    async with Session(**options) as session:
        return await session.execute(code, check=check, result=result, filename=filename)
