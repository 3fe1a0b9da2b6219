"""One execution from the host's side: what the program asks for, and its end.

The extension reports events (calls, output, traces, input, the end). `Run` handles them on the
thread that waits for the program; `AsyncRun` does so on an event loop.
"""

from __future__ import annotations

import asyncio
import codecs
import contextvars
import inspect
import time
from collections import deque
from collections.abc import Callable, Sequence
from signal import SIG_DFL, SIG_IGN, SIGINT, default_int_handler, set_wakeup_fd, valid_signals
from typing import TYPE_CHECKING, Any

# That of `signal` makes enums of its results: many microseconds for all signals.
from _signal import getsignal  # type: ignore[import-not-found]

from . import _eryx, _schema
from ._callbacks import Callback
from ._grants import NetEvent, net_event
from ._outcome import KINDS, Outcome, TraceEvent
from ._profile import How, Profile, Recorder

if TYPE_CHECKING:
    from ._loop import LoopDriver

FAILURES_KEPT = 16
# Seconds that a cancelled program may go on running before it waits, and can clean up.
RUNNING_GRACE = 0.05
SIGNALS = tuple(sorted(valid_signals()))
# Handlers of all signals, when they were last found to be no more than KeyboardInterrupt's.
_plain_handlers: tuple[Any, ...] = ()
STREAMS = {1: "stdout", 2: "stderr"}
CALL, CANCEL, OUTPUT = _eryx.EVENT_CALL, _eryx.EVENT_CANCEL, _eryx.EVENT_OUTPUT
INPUT, TRACE, DONE = _eryx.EVENT_INPUT, _eryx.EVENT_TRACE, _eryx.EVENT_DONE
NET, SAMPLE = _eryx.EVENT_NET, _eryx.EVENT_SAMPLE


class Handlers:
    """What a sandbox was made with, as far as it is Python's."""

    __slots__ = ("callbacks", "on_output", "on_trace", "on_input", "on_net", "prelude",
                 "profile", "has_async")

    def __init__(self, callbacks: Sequence[Callback], on_output: Callable[[str, str], Any] | None,
                 on_trace: Callable[[TraceEvent], Any] | None,
                 on_input: Callable[[int], str | bytes] | None,
                 on_net: Callable[[NetEvent], Any] | None, prelude: str | None,
                 profile: Profile | None) -> None:
        self.callbacks = callbacks
        self.on_output = on_output
        self.on_trace = on_trace
        self.on_input = on_input
        self.on_net = on_net
        self.prelude = prelude  # code that a fresh session begins with
        self.profile = profile
        self.has_async = any(callback.is_async for callback in callbacks)

    @property
    def streams(self) -> bool:
        """Whether something is wanted while the program runs."""
        return (self.on_output is not None or self.on_trace is not None
                or self.on_input is not None or self.profile is not None)


def describe(error: BaseException) -> str:
    """An exception as programs see it."""
    text = str(error)
    name = type(error).__qualname__
    return f"{name}: {text}" if text else name


class Run:
    """An execution whose calls are answered at once, by plain functions."""

    def __init__(self, raw: _eryx.Sandbox, handlers: Handlers, code: str | None,
                 filename: str | None) -> None:
        self.raw = raw
        self.recorder: Recorder | None = None
        if handlers.profile is not None:
            self.recorder = handlers.profile._record(code, filename)
        self.handlers = handlers
        self.outcome: _eryx.Outcome | None = None
        self.failures: dict[str, BaseException] | None = None
        self.decoders: dict[int, codecs.IncrementalDecoder] | None = None

    def dispatch(self, events: list[_eryx._Event]) -> None:
        """Handles events; what handlers raise comes out."""
        for _, kind, number, value in events:
            self.handle(kind, number, value)

    def handle(self, kind: int, number: int, value: Any) -> None:
        if kind == CALL:
            self.call(self.handlers.callbacks[number], value)
        elif kind == DONE:
            self.outcome = value
            if self.recorder is not None:
                self.recorder.end(self.raw, KINDS[value.kind])
            self.flush()
        elif kind == OUTPUT:
            self.output(number, value)
        elif kind == TRACE:
            if self.handlers.on_trace is not None:
                self.handlers.on_trace(TraceEvent._from_json(number, *value))
        elif kind == INPUT:
            self.input(number)
        elif kind == SAMPLE:
            if self.recorder is not None:
                self.recorder.sample(*value)
        elif kind == NET and self.handlers.on_net is not None:
            self.handlers.on_net(net_event(number, value))

    def call(self, callback: Callback, call: _eryx.Call) -> None:
        began = time.monotonic_ns()
        try:
            result = callback._call(call.arguments)
            if inspect.isawaitable(result):
                if inspect.iscoroutine(result):
                    result.close()
                raise TypeError(f"{callback.name}() returned an awaitable, but is no async "
                                "function: use `async def`")
            call.complete(_schema.encode(result))
            self.note(callback, began, began, "returned")
        except Exception as error:
            self.fail(call, error)
            self.note(callback, began, began, "failed")
        except BaseException:
            self.note(callback, began, began, "cancelled")
            raise

    def note(self, callback: Callback, made: int, began: int, how: How) -> None:
        """A call has ended."""
        if self.recorder is not None:
            self.recorder.call(callback.name, made, began, how)

    def fail(self, call: _eryx.Call, error: BaseException) -> None:
        """Raises in the program what a callback has raised here."""
        message = describe(error)
        if self.failures is None:
            self.failures = {}
        self.failures[message] = error
        if len(self.failures) > FAILURES_KEPT:
            del self.failures[next(iter(self.failures))]
        call.fail(message)

    def output(self, stream: int, data: bytes, final: bool = False) -> None:
        if self.handlers.on_output is None:
            return
        if self.decoders is None:
            self.decoders = {key: codecs.getincrementaldecoder("utf-8")("replace")
                             for key in STREAMS}
        text = self.decoders[stream].decode(data, final)
        if text:
            self.handlers.on_output(STREAMS[stream], text)

    def flush(self) -> None:
        """The end of the output: half a character is none."""
        if self.decoders is not None:
            for stream in STREAMS:
                self.output(stream, b"", True)

    def input(self, size: int) -> None:
        assert self.handlers.on_input is not None
        data = self.handlers.on_input(size)
        self.raw.answer(data.encode() if isinstance(data, str) else data)

    def result(self) -> Outcome:
        """The outcome; an exception of a callback that ended the program is its cause."""
        assert self.outcome is not None
        cause = None
        if self.failures is not None and self.outcome.exception_type:
            cause = self.failures.get(self.outcome.exception_message or "")
        return Outcome(self.outcome, cause)

    # --- On a driver, with this thread waiting ---

    def wait(self, driver: _eryx.Driver, main_thread: bool) -> None:
        """Handles events until the end. What a handler or a signal raises interrupts the program;
        it comes out once that has ended."""
        events: deque[_eryx._Event] = deque()
        raised: BaseException | None = None
        while self.outcome is None:
            try:
                if not events:
                    events.extend(driver.wait(main_thread))
                while events:
                    _, kind, number, value = events[0]
                    if raised is None or kind == DONE:
                        self.handle(kind, number, value)
                    events.popleft()
            except BaseException as error:
                # A signal's exception may come anywhere, also before the event was handled.
                if events and events[0][1] != DONE:
                    events.popleft()
                raised = raised or error
                self.raw.interrupt()
        if raised is not None:
            raise raised

    def wait_in_main(self, driver: _eryx.Driver) -> None:
        """The same in the main thread, which hears of signals at once."""
        before = set_wakeup_fd(_eryx.signal_fd())
        mine = before in (-1, _eryx.signal_fd(), _eryx.interrupt_fd())
        if not mine:  # signals still interrupt the waiting
            set_wakeup_fd(before)
        try:
            self.wait(driver, True)
        finally:
            if mine:
                set_wakeup_fd(-1)

    # --- On this thread ---

    def execute(self, code: str | None, filename: str | None, script: bool, result: str | None) -> None:
        self.outcome = self.raw.execute(code, filename, script, result, self.dispatch, False)

    def execute_in_main(self, code: str | None, filename: str | None, script: bool,
                        result: str | None) -> bool:
        """The same in the main thread; False: not possible, since signals have handlers that could
        not run meanwhile."""
        global _plain_handlers
        handlers = tuple(map(getsignal, SIGNALS))
        if handlers != _plain_handlers:
            if not all(handler is None or handler in (SIG_DFL, SIG_IGN)
                       or number == SIGINT and handler is default_int_handler
                       for number, handler in zip(SIGNALS, handlers)):
                return False
            _plain_handlers = handlers
        descriptor = _eryx.interrupt_fd()
        before = set_wakeup_fd(descriptor)
        if before not in (-1, descriptor):
            set_wakeup_fd(before)
            return False
        try:
            self.outcome = self.raw.execute(code, filename, script, result, self.dispatch, True)
        finally:
            set_wakeup_fd(-1)
        return True


class AsyncRun(Run):
    """An execution on an event loop. Calls of async callbacks are tasks there."""

    def __init__(self, raw: _eryx.Sandbox, handlers: Handlers, code: str | None,
                 filename: str | None, driver: LoopDriver, grace: float) -> None:
        super().__init__(raw, handlers, code, filename)
        self.driver = driver
        self.loop = driver.loop
        self.grace = grace
        self.context = contextvars.copy_context()
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.cancelled: set[asyncio.Task[None]] = set()
        self.done: asyncio.Future[None] = self.loop.create_future()
        self.raised: BaseException | None = None
        self.watchers: list[asyncio.Future[None]] = []

    async def ended(self) -> None:
        """Waits until the program has ended; for others than who awaits its outcome."""
        if self.outcome is None:
            watcher = self.loop.create_future()
            self.watchers.append(watcher)
            await watcher

    def handle_safely(self, kind: int, number: int, value: Any) -> None:
        """An event, from the loop: what a handler raises is kept for who awaits the end."""
        try:
            self.handle(kind, number, value)
        except Exception as error:
            self.raised = self.raised or error
            self.raw.interrupt()
        except BaseException:  # for the loop
            self.raw.interrupt()
            raise
        finally:
            if kind == DONE:
                self.driver.left(self)
                for future in (self.done, *self.watchers):
                    if not future.done():
                        future.set_result(None)

    def handle(self, kind: int, number: int, value: Any) -> None:
        if kind == CALL:
            callback = self.handlers.callbacks[number]
            if callback.is_async:
                key = value.key
                task = self.loop.create_task(self.answer(callback, value, key, time.monotonic_ns()),
                                             context=self.context)
                self.tasks[key] = task
            else:
                self.context.run(self.call, callback, value)
        elif kind == CANCEL:
            cancelled = self.tasks.pop(value, None)
            if cancelled is not None:
                self.cancelled.add(cancelled)
                cancelled.add_done_callback(self.cancelled.discard)
                cancelled.cancel()
        else:
            self.context.run(super().handle, kind, number, value)

    async def answer(self, callback: Callback, call: _eryx.Call, key: int, made: int) -> None:
        began = time.monotonic_ns()
        how: How = "returned"
        try:
            call.complete(_schema.encode(await callback._call(call.arguments)))
        except asyncio.CancelledError:
            how = "cancelled"
            call.fail("cancelled")
            raise
        except Exception as error:
            how = "failed"
            self.fail(call, error)
        finally:
            self.tasks.pop(key, None)
            self.note(callback, made, began, how)

    async def end(self) -> None:
        """Waits for the end, that of the callbacks' tasks included. Cancelled, it asks the program
        to end, and interrupts it when `grace` seconds have passed or on being cancelled again."""
        try:
            await self.done
        except asyncio.CancelledError:
            await self.end_cancelled()
            raise
        finally:
            left = self.cancelled.union(self.tasks.values())
            if left:
                await asyncio.wait(left)
        if self.raised is not None:
            raise self.raised

    async def end_cancelled(self) -> None:
        self.raw.cancel(False)
        timers = [self.loop.call_later(min(RUNNING_GRACE, self.grace), self.raw.cancel, True),
                  self.loop.call_later(self.grace, self.raw.interrupt)]
        while self.outcome is None:
            self.done = self.loop.create_future()
            try:
                await self.done
            except asyncio.CancelledError:
                self.raw.interrupt()
        for timer in timers:
            timer.cancel()
