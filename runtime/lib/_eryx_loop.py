"""The event loop: a real asyncio loop whose waiting is done by the host.

Callbacks run until none is ready; then `advance` says how long until the next timer, and
whoever runs the loop waits: `Driver` (_eryx_driver.py) by handing the number to C, which
returns to the host (no stack is held), `run_forever` by blocking in the host.
"""

import heapq
import math
import selectors
import socket
import sys
import threading
from asyncio import base_events, events, format_helpers, selector_events, tasks

import _eryx
import _eryx_tls_loop
import _eryx_watch
from _eryx_tls_connection import held

NOTHING = -1  # no timer is set
THREAD = threading.get_ident()  # the only one
POLL_EVERY = 16  # batches of callbacks between looks at the host's events

DEADLOCK = ("deadlock: the program waits for something that nothing can bring about "
            "(no timer is set and no call is pending)")
UNAVAILABLE = "the sandbox has no signals, pipes or processes: {}() is not available"


class Deadlock(Exception):
    """Internal: the loop has nothing to run and nothing to wait for."""


class Loop(selector_events.BaseSelectorEventLoop):
    """asyncio's event loop in the sandbox."""

    def __init__(self, selector=None):
        # A selector that is given is not used: there is only one way to wait here.
        super().__init__(_eryx_watch.Selector(self._descriptor_ready))
        self._closing = set()  # tasks that close collected async generators

    def call_soon_threadsafe(self, callback, *args, context=None):
        return self.call_soon(callback, *args, context=context)

    def _asyncgen_finalizer_hook(self, agen):
        self._asyncgens.discard(agen)
        if not self._closed:
            self.call_soon(self._close_asyncgen, agen)

    def _close_asyncgen(self, agen):
        task = self.create_task(agen.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _collect_timers(self):
        scheduled = self._scheduled
        if (len(scheduled) > base_events._MIN_SCHEDULED_TIMER_HANDLES
                and self._timer_cancelled_count > len(scheduled) // 2):
            scheduled[:] = [handle for handle in scheduled if not handle._cancelled]
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        end = self.time() + self._clock_resolution
        while scheduled:
            handle = scheduled[0]
            if handle._cancelled:
                self._timer_cancelled_count -= 1
            elif handle._when >= end:
                return
            else:
                self._ready.append(handle)
            heapq.heappop(scheduled)
            handle._scheduled = False

    def advance(self, future=None):
        """Runs callbacks until none is ready. Returns None if the loop was stopped or the future is
        done, else nanoseconds until the next timer or NOTHING."""
        ready = self._ready
        batches = 0
        done = False
        while True:
            if self._scheduled:
                self._collect_timers()
            if not ready:
                if self._stopping:
                    return None
                if held:
                    _eryx_tls_loop.flush()
                self._selector.arm()
                if ready or (_eryx.poll() and ready):
                    continue
                if not self._scheduled:
                    return NOTHING
                return max(1, math.ceil((self._scheduled[0]._when - self.time()) * 1e9))
            _eryx.run_ready(self, ready)
            if self._stopping or done:
                return None
            if future is not None and future.done():
                if not ready:
                    return None
                done = True  # asyncio's loop runs what is ready once more, too, before it stops
            batches += 1
            if batches % POLL_EVERY == 0:
                self._selector.arm()
                _eryx.poll()

    def _run_watched(self, handle):
        began = self.time()
        try:
            handle._context.run(handle._callback, *handle._args)
            took = self.time() - began
            if took >= self.slow_callback_duration:
                base_events.logger.warning("Executing %s took %.3f seconds",
                                           base_events._format_handle(handle), took)
        finally:
            handle = None  # a task's exception may keep this frame

    def _callback_failed(self, handle, error):
        callback = format_helpers._format_callback_source(handle._callback, handle._args)
        context = {"message": f"Exception in callback {callback}", "exception": error,
                   "handle": handle}
        if handle._source_traceback:
            context["source_traceback"] = handle._source_traceback
        self.call_exception_handler(context)

    def _run_once(self):
        raise NotImplementedError("Loop.advance does this work")

    def _check_running(self):
        if self.is_running():
            raise RuntimeError("This event loop is already running")

    def enter(self):
        """Makes this the running loop; `leave` takes what it returns. Another loop may be
        running: it and its task are set aside."""
        if self._closed or self._thread_id is not None:
            self._check_closed()
            self._check_running()
        outer = events._get_running_loop()
        task = None if outer is None else tasks._swap_current_task(outer, None)
        saved = outer, task, sys.get_asyncgen_hooks()
        self._thread_id = THREAD
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)
        events._set_running_loop(self)
        if self._debug:
            self._set_coroutine_origin_tracking(True)
        return saved

    def leave(self, saved):
        outer, task, hooks = saved
        self._stopping = False
        self._thread_id = None
        events._set_running_loop(outer)
        if task is not None:
            tasks._swap_current_task(outer, task)
        sys.set_asyncgen_hooks(*hooks)
        if self._coroutine_origin_tracking_enabled:
            self._set_coroutine_origin_tracking(False)  # needs builtins, which a program may break

    def run_forever(self):
        """Run until stop() is called. Blocks the sandbox while it waits."""
        saved = self.enter()
        try:
            while True:
                delay = self.advance()
                if self._stopping:
                    return
                if delay == NOTHING and not _eryx.pending():
                    raise RuntimeError(DEADLOCK)
                _eryx.wait(delay)
        finally:
            self.leave(saved)

    def forget(self):
        """Drops callbacks and timers that are left. Descriptors stay registered."""
        if self._selector._armed:
            self._selector.disarm()
        for handle in self._scheduled:
            handle._scheduled = False
        self._scheduled.clear()
        self._ready.clear()
        self._timer_cancelled_count = 0

    def run_in_executor(self, executor, func, *args):
        """There are no threads: the function runs now, and the future returned is done."""
        self._check_closed()
        if self._debug:
            self._check_callback(func, "run_in_executor")
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except (SystemExit, KeyboardInterrupt):
            raise
        except StopIteration as error:
            future.set_exception(RuntimeError(f"function raised {error!r}"))
        except BaseException as error:
            future.set_exception(error)
        return future

    async def shutdown_default_executor(self, timeout=None):
        self._executor_shutdown_called = True

    def _descriptor_ready(self, key, event):
        handle = key.data[event != selectors.EVENT_READ]
        if handle._cancelled:
            remove = self._remove_reader if event == selectors.EVENT_READ else self._remove_writer
            remove(key.fileobj)
        else:
            self._ready.append(handle)

    async def getaddrinfo(self, host, port, *, family=0, type=0, proto=0, flags=0):
        return await _eryx_watch.getaddrinfo(self, host, port, family, type, proto, flags)

    async def create_server(self, *args, **kwargs):
        try:
            return await super().create_server(*args, **kwargs)
        except OSError as error:
            if error.errno is None:  # asyncio has dropped why it can make no socket: here it is
                socket.socket().close()
            raise

    def _make_self_pipe(self):
        pass  # nobody wakes the loop but the host

    def _close_self_pipe(self):
        pass

    def _write_to_self(self):
        pass


def _unavailable(name):
    def method(self, *args, **kwargs):
        raise NotImplementedError(UNAVAILABLE.format(name))

    method.__name__ = name
    method.__qualname__ = f"Loop.{name}"
    return method


for _name in ("add_signal_handler", "remove_signal_handler", "create_unix_connection",
              "create_unix_server", "connect_read_pipe", "connect_write_pipe", "subprocess_exec",
              "subprocess_shell"):
    setattr(Loop, _name, _unavailable(_name))

_eryx.install_loop(Loop, events.Handle)
