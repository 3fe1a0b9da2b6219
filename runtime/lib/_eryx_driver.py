"""Runs programs that wait: the session's main task, `asyncio.run`, and calls of the host.

`Driver` is what C calls: it goes on until everything waits, and says for how long. A
coroutine that wants a loop to be run asks for it (`until`), so that nothing of the program
is on the stack while the host waits.
"""

import contextvars
import types
from asyncio import base_events, events, exceptions, runners, tasks, unix_events

import _eryx
from _eryx_loop import DEADLOCK, NOTHING, Deadlock, Loop


class _Run:
    """A loop that the driver runs until a future is done."""

    __slots__ = "loop", "future", "waiter", "saved"

    def __init__(self, loop, future, waiter):
        self.loop = loop
        self.future = future
        self.waiter = waiter
        self.saved = loop.enter()


class Driver:
    """Runs a coroutine that asks (through `until`) for loops to be run.

    Loops nest: only the one asked for last runs, as `asyncio.run` would have it. That of the session's
    main task runs before there is such a coroutine: most executions end without."""

    def __init__(self):
        self.runs = []
        self.requests = []  # of tasks: loops to run as soon as the task's step is over
        self.main = None
        self.session = None  # its loop, main task and context, until the task is done
        self.error = None

    def start(self, coroutine):
        """The coroutine awaits nothing but this runtime: no loop runs around it."""
        self.runs.clear()
        self.requests.clear()
        self.main = coroutine
        self.session = self.error = None

    def start_session(self, coroutine):
        """The coroutine is the main task of the session's loop."""
        self.start(None)
        loop = _open_session_loop()
        context = contextvars.copy_context()
        if loop._task_factory is None:
            task = tasks.Task(coroutine, loop=loop, context=context)
        else:
            task = loop.create_task(coroutine, context=context)
        self.session = loop, task, context
        self.push(loop, task)

    def push(self, loop, future, waiter=None):
        self.runs.append(_Run(loop, future, waiter))

    def _pop(self, error=None):
        run = self.runs.pop()
        run.loop.leave(run.saved)
        if run.waiter is None:
            self.error = error
        elif not run.waiter.done():
            if error is None:
                run.waiter.set_result(None)
            else:
                run.waiter.set_exception(error)

    def _end_session(self):
        """After its main task. False: `main` goes on with what is left to do."""
        session, self.session = self.session, None
        loop, task, context = session
        if (self.error is None and not loop._ready and not loop._scheduled
                and not task.cancelled() and task.exception() is None
                and not tasks.all_tasks(loop)):
            loop.forget()
            _keep_variables(context)
            return True
        self.main = _end_badly(loop, task, context, self.error)
        self.error = None
        return False

    def _step_main(self):
        """The next request of the coroutine; StopIteration when it is over."""
        error, self.error = self.error, None
        if error is None:
            request = self.main.send(None)
        else:
            request = self.main.throw(error)
        self.push(*request)

    def step(self):
        """Goes on as far as possible. None: finished; else what `Loop.advance` returns."""
        while True:
            if not self.runs:
                if self.session is not None and self._end_session():
                    return None
                try:
                    self._step_main()
                except StopIteration:
                    return None
            run = self.runs[-1]
            if run.future.done():
                self._pop()
                continue
            try:
                delay = run.loop.advance(run.future)
            except BaseException as error:
                self._pop(error)
                continue
            if self.requests:
                run.loop._stopping = False  # `until` stopped it to let the inner loop run
                self.push(*self.requests.pop())
            elif run.future.done():
                pass
            elif delay is None:
                self._pop(RuntimeError("Event loop stopped before Future completed."))
            elif delay == NOTHING and not _eryx.pending():
                self._pop(Deadlock())
            else:
                return delay

    def abandon(self):
        """After an exception: nothing of the execution goes on. If the program broke what ends it
        properly, what is left of it stays with a loop that is not run again."""
        global _session_loop
        self.main = self.session = None
        loop = _session_loop
        if self.runs or loop is None or loop._ready or loop._scheduled:
            _session_loop = None
        try:
            while self.runs:
                run = self.runs.pop()
                run.loop.leave(run.saved)
        finally:
            self.runs.clear()
            events._set_running_loop(None)


driver = Driver()


@types.coroutine
def _request(loop, future):
    yield loop, future


async def until(loop, future):
    """Runs `loop` until `future` is done, without blocking the sandbox."""
    outer = events._get_running_loop()
    if outer is None:
        await _request(loop, future)
    else:
        waiter = outer.create_future()
        driver.requests.append((loop, future, waiter))
        outer.stop()
        await waiter


async def _finish(loop, task, error=None):
    """Runs `loop` until `task` is done and returns its result. error: of running it so far."""
    try:
        if error is not None:
            raise error
        if not task.done():
            await until(loop, task)
    except Deadlock:
        task.cancel(DEADLOCK)
        try:
            await until(loop, task)
        except Deadlock:
            task._log_destroy_pending = False
        where = None
        if task.cancelled():
            try:
                task.result()
            except exceptions.CancelledError as error:
                where = error.__traceback__
        elif task.done() and task.exception() is not None:
            raise task.exception() from None
        raise RuntimeError(DEADLOCK).with_traceback(where) from None
    except BaseException:
        if task.done() and not task.cancelled():
            task.exception()  # marks it retrieved: this is that exception, or outranks it
        raise
    return task.result()


async def _cancel_rest(loop):
    """Cancels the tasks that are left, lets them finish and reports their exceptions."""
    for timer in loop._scheduled:
        timer.cancel()
    stuck = False
    while not stuck:
        left = tasks.all_tasks(loop)
        if not left and not loop._ready:
            return
        cancelled = left - loop._closing
        for task in cancelled:
            task.cancel()
        if left:
            future = tasks.gather(*left, return_exceptions=True)
        else:
            future = loop.create_future()
            loop.call_soon(future.set_result, None)
        try:
            await until(loop, future)
        except Deadlock:  # they caught the cancellation and wait on
            stuck = True
            for task in left:
                task._log_destroy_pending = False
        for task in cancelled:
            if task.done() and not task.cancelled() and task.exception() is not None:
                loop.call_exception_handler({
                    "message": "unhandled exception while cancelling what the program left running",
                    "exception": task.exception(), "task": task})


_calls = {}  # number of a pending call: the future of its result


def returned(number, result):
    """From C: a call is over. `result` is (ok, text), None if it was cancelled."""
    future = _calls.pop(number, None)
    if future is not None and not future.done():
        if result is None:
            future.cancel()
        else:
            future.set_result(result)


async def call(name, json):
    """Calls the host; returns (ok, text)."""
    result = _eryx.start(name, json)
    if type(result) is not int:
        return result
    future = events.get_running_loop().create_future()
    _calls[result] = future
    try:
        return await future
    except exceptions.CancelledError:
        if _calls.pop(result, None) is not None:
            _eryx.cancel(result)
        raise


def call_blocking(name, json):
    """The same, blocking the sandbox."""
    result = _eryx.start(name, json)
    if type(result) is not int:
        return result
    box = _calls[result] = _Box()
    while not box.done():
        _eryx.wait(NOTHING)
    return box.result


class _Box:
    """Where `returned` puts the result of a blocking call."""

    __slots__ = "result",

    def done(self):
        return hasattr(self, "result")

    def set_result(self, result):
        self.result = result

    def cancel(self):
        self.result = (False, "the call was cancelled")


def cancel():
    """From C: the host wants the execution to end; its main task is cancelled."""
    if driver.runs:
        driver.runs[0].future.cancel()


_session_loop = Loop()
events.set_event_loop(_session_loop)


def _open_session_loop():
    global _session_loop
    if _session_loop is None or _session_loop._closed:
        _session_loop = Loop()
        events.set_event_loop(_session_loop)
    return _session_loop


def _keep_variables(context):
    """Context variables persist as they do when code has no await."""
    for variable, value in context.items():
        if variable.get(context) is not value:
            variable.set(value)


async def _end_badly(loop, task, context, error):
    """The end of an execution whose main task has failed, waits in vain, or leaves others."""
    try:
        await _finish(loop, task, error)
    finally:
        await _cancel_rest(loop)
        loop.forget()
        _keep_variables(context)


_blocking_run = runners.run
_blocking_runner_run = runners.Runner.run


class _SetAside:
    """While active no loop seems to be running."""

    __slots__ = "outer", "task"

    def __enter__(self):
        self.outer = events._get_running_loop()
        if self.outer is not None:
            self.task = tasks._swap_current_task(self.outer, None)
            events._set_running_loop(None)

    def __exit__(self, *_):
        if self.outer is not None:
            events._set_running_loop(self.outer)
            tasks._swap_current_task(self.outer, self.task)


def run(main, *, debug=None, loop_factory=None):
    with _SetAside():
        return _blocking_run(main, debug=debug, loop_factory=loop_factory)


def _runner_run(self, coro, *, context=None):
    with _SetAside():
        return _blocking_runner_run(self, coro, context=context)


async def _awaited_run(main, *, debug=None, loop_factory=None):
    """asyncio.run for code that can be suspended."""
    loop = events.new_event_loop() if loop_factory is None else loop_factory()
    if not isinstance(loop, Loop):
        loop.close()
        return run(main, debug=debug, loop_factory=loop_factory)
    if loop_factory is None:
        events.set_event_loop(loop)
    if debug is not None:
        loop.set_debug(debug)
    try:
        if not base_events.coroutines.iscoroutine(main):
            if not hasattr(type(main), "__await__"):
                raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
            main = runners._wrap_awaitable(main)
        return await _finish(loop, loop.create_task(main))
    finally:
        try:
            await _cancel_rest(loop)
            await until(loop, loop.create_task(loop.shutdown_asyncgens()))
        finally:
            if loop_factory is None:
                events.set_event_loop(None)
            loop.close()


async def await_call(function, /, *args, **kwargs):
    """What `_eryx_source` makes of a top-level call of `asyncio.run`."""
    if function is not run:
        return function(*args, **kwargs)
    return await _awaited_run(*args, **kwargs)


def install():
    """Makes this loop what asyncio uses everywhere."""
    import asyncio

    for name in "__doc__", "__name__", "__qualname__", "__module__":
        setattr(run, name, getattr(_blocking_run, name))
        setattr(_runner_run, name, getattr(_blocking_runner_run, name))
    asyncio.run = runners.run = run
    runners.Runner.run = _runner_run
    unix_events._UnixDefaultEventLoopPolicy._loop_factory = Loop
    for module in asyncio, unix_events:
        module.SelectorEventLoop = module.EventLoop = Loop
