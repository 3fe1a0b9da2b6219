"""Sandboxes: `Sandbox` for threads that wait, `Session` for event loops, `run` for one program."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypedDict, TypeVar, Union

from . import _eryx
from ._callbacks import Callbacks, collect
from ._errors import StateError
from ._execution import AsyncRun, Handlers, Run
from ._limits import Limits, Size
from ._loop import LoopDriver, give_back, take_driver
from ._outcome import Outcome, TraceEvent
from ._runtime import Runtime

__all__ = ["Sandbox", "SandboxOptions", "Session", "run", "run_async"]

Stdin = Union[str, bytes, Callable[[int], Union[str, bytes]]]
OnOutput = Callable[[str, str], Any]
OnTrace = Callable[[TraceEvent], Any]
Self = TypeVar("Self", bound="_Base")

_MAIN = threading.main_thread()


class SandboxOptions(TypedDict, total=False):
    """What `Sandbox`, `Session`, `run` and `Pool` take by keyword."""

    runtime: Runtime | None
    limits: Limits | None
    timeout: float | None
    memory: Size | None
    callbacks: Callbacks
    argv: Sequence[str] | None
    environ: Mapping[str, str] | None
    stdin: Stdin | None
    on_output: OnOutput | None
    output_mode: Literal["chunk", "line"]
    on_trace: OnTrace | None
    trace_locals: int


def _check(name: str, value: Any, *classes: type) -> None:
    if not isinstance(value, classes):
        names = " or ".join(one.__name__ for one in classes)
        raise TypeError(f"{name} must be {names}, not {type(value).__name__}")


def _check_callable(name: str, value: Any) -> None:
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable, not {type(value).__name__}")


def _result_name(result: bool | str) -> str | None:
    """What eryx_execute_options_t.result is to be."""
    if isinstance(result, str):
        if not result:
            raise ValueError("result is empty: give a variable's name, or True")
        return result
    _check("result", result, bool)
    return "" if result else None


class _Base:
    """What blocking and async sandboxes have in common."""

    def __init__(self, *, runtime: Runtime | None = None, limits: Limits | None = None,
                 timeout: float | None = None, memory: Size | None = None,
                 callbacks: Callbacks = (), argv: Sequence[str] | None = None,
                 environ: Mapping[str, str] | None = None, stdin: Stdin | None = None,
                 on_output: OnOutput | None = None,
                 output_mode: Literal["chunk", "line"] = "chunk",
                 on_trace: OnTrace | None = None, trace_locals: int = 0) -> None:
        if runtime is None:
            runtime = Runtime.default()
        _check("runtime", runtime, Runtime)
        options: dict[str, Any] = {}
        if limits is not None:
            _check("limits", limits, Limits)
            options["limits"] = limits._raw()
        if timeout is not None or memory is not None:
            short = Limits(wall_time=timeout, memory=memory)._raw()
            options["limits"] = options.get("limits", {}) | short
        collected = collect(callbacks) if callbacks else ()
        if collected:
            options["callbacks"] = [callback._raw for callback in collected]
        if argv is not None:
            _check("argv", argv, list, tuple)
            options["argv"] = list(argv)
        if environ is not None:
            _check("environ", environ, Mapping)
            options["environ"] = [f"{name}={value}" for name, value in environ.items()]
        on_input = None
        if stdin is not None:
            on_input = stdin if callable(stdin) else None
            if on_input is None:
                _check("stdin", stdin, str, bytes)
            options["stdin"] = (True if on_input is not None
                                else stdin.encode() if isinstance(stdin, str) else stdin)
        if output_mode not in ("chunk", "line"):
            raise ValueError(f"output_mode must be \"chunk\" or \"line\", not {output_mode!r}")
        if on_output is not None or on_trace is not None:
            _check_callable("on_output", on_output)
            _check_callable("on_trace", on_trace)
            options.update(output=on_output is not None, lines=output_mode == "line",
                           trace=on_trace is not None, trace_locals=trace_locals)
        self._raw = _eryx.Sandbox(runtime._raw, options)
        self._handlers = Handlers(collected, on_output, on_trace, on_input)

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

    runtime: where it comes from; None: Runtime.default().
    limits, timeout (seconds of one execution), memory: see Limits.
    callbacks: functions that programs may call; see Callback.
    argv, environ: what programs see as sys.argv and os.environ.
    stdin: text, bytes, or a function that is given a size and returns what comes next.
    on_output(stream, text): takes output as it is written ("stdout" or "stderr"), by writes or,
        with output_mode="line", by whole lines. Outcomes have none then.
    on_trace(event): takes a TraceEvent for every line, call, return and exception.
    trace_locals: bytes of local variables' text that an event may carry.

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
        """
        _check("code", code, str)
        outcome = self._execute(code, filename, script, _result_name(result))
        return outcome.check() if check else outcome

    def _execute(self, code: str, filename: str | None, script: bool,
                 result: str | None) -> Outcome:
        handlers = self._handlers
        if handlers.has_async:
            return self._execute_in_loop(code, filename, script, result)
        run = Run(self._raw, handlers)
        main_thread = threading.current_thread() is _MAIN
        if not handlers.streams:
            if not main_thread:
                run.execute(code, filename, script, result)
                return run.result()
            if run.execute_in_main(code, filename, script, result):
                return run.result()
        driver = take_driver()
        self._raw.start(code, filename, script, result, driver, None)
        if main_thread:
            run.wait_in_main(driver)
        else:
            run.wait(driver, False)
        give_back(driver)
        return run.result()

    def _execute_in_loop(self, code: str, filename: str | None, script: bool,
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

    def snapshot(self, *, skip_unpicklable: bool = False) -> bytes:
        """The session's variables, functions, classes and imports as bytes.

        skip_unpicklable: leave out what cannot be saved; otherwise that is a StateError.
        """
        return self._raw.snapshot(skip_unpicklable)

    def restore(self, data: bytes) -> None:
        """Replaces the session's names by those of a snapshot."""
        _check("data", data, bytes)
        self._raw.restore(data)

    def clear(self) -> None:
        """Forgets the session's names and what programs changed in the interpreter."""
        self._raw.clear()

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


async def _execute_async(sandbox: _Base, code: str, filename: str | None, script: bool,
                         result: str | None, grace: float) -> Outcome:
    driver = LoopDriver.running()
    run = AsyncRun(sandbox._raw, sandbox._handlers, driver, grace)
    try:
        sandbox._raw.start(code, filename, script, result, driver.enter(run), id(run))
    except BaseException:
        driver.left(run)
        raise
    return await run.end()


class Session(_Base):
    """A Python of its own for an event loop: like Sandbox, with async methods. Any number of them run
    on one loop; programs run on a few threads that all share.

    Options are those of Sandbox. Async callbacks are tasks of the loop; plain ones run on it too.

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
        """
        _check("code", code, str)
        outcome = await _execute_async(self, code, filename, script, _result_name(result),
                                       cancel_grace)
        return outcome.check() if check else outcome

    async def snapshot(self, *, skip_unpicklable: bool = False) -> bytes:
        """The session's variables, functions, classes and imports as bytes; see Sandbox.snapshot."""
        return await asyncio.to_thread(self._raw.snapshot, skip_unpicklable)

    async def restore(self, data: bytes) -> None:
        """Replaces the session's names by those of a snapshot."""
        _check("data", data, bytes)
        await asyncio.to_thread(self._raw.restore, data)

    async def clear(self) -> None:
        """Forgets the session's names and what programs changed in the interpreter."""
        await asyncio.to_thread(self._raw.clear)

    async def close(self) -> None:
        """Gives the memory back. StateError while a program runs. Again: nothing."""
        self._raw.close()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        traceback: TracebackType | None) -> None:
        await self.close()


def run(code: str, *, check: bool = True, result: bool | str = True, filename: str | None = None,
        runtime: Runtime | None = None, limits: Limits | None = None, timeout: float | None = None,
        memory: Size | None = None, callbacks: Callbacks = (), argv: Sequence[str] | None = None,
        environ: Mapping[str, str] | None = None, stdin: Stdin | None = None,
        on_output: OnOutput | None = None, output_mode: Literal["chunk", "line"] = "chunk",
        on_trace: OnTrace | None = None, trace_locals: int = 0) -> Outcome:
    """Runs one program in a fresh sandbox; the options are those of Sandbox and execute.

    >>> eryx.run("sum(range(10))").value
    45
    >>> eryx.run("1 / 0")
    Traceback (most recent call last):
    eryx.GuestError: ZeroDivisionError: division by zero
    """
    with Sandbox(runtime=runtime, limits=limits, timeout=timeout, memory=memory,
                 callbacks=callbacks, argv=argv, environ=environ, stdin=stdin, on_output=on_output,
                 output_mode=output_mode, on_trace=on_trace,
                 trace_locals=trace_locals) as sandbox:
        return sandbox.execute(code, check=check, result=result, filename=filename)


async def run_async(code: str, *, check: bool = True, result: bool | str = True,
                    filename: str | None = None, runtime: Runtime | None = None,
                    limits: Limits | None = None, timeout: float | None = None,
                    memory: Size | None = None, callbacks: Callbacks = (),
                    argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None,
                    stdin: Stdin | None = None, on_output: OnOutput | None = None,
                    output_mode: Literal["chunk", "line"] = "chunk",
                    on_trace: OnTrace | None = None, trace_locals: int = 0) -> Outcome:
    """Runs one program in a fresh sandbox on the running event loop.

    >>> asyncio.run(eryx.run_async("6 * 7")).value
    42
    """
    async with Session(runtime=runtime, limits=limits, timeout=timeout, memory=memory,
                       callbacks=callbacks, argv=argv, environ=environ, stdin=stdin,
                       on_output=on_output, output_mode=output_mode, on_trace=on_trace,
                       trace_locals=trace_locals) as session:
        return await session.execute(code, check=check, result=result, filename=filename)
