"""The host's side: signals, threads, garbage, forks, misuse."""
import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import weakref

import eryx
import pytest


def interrupted(code, callbacks=(), **options):
    """Runs code whose callback `ready` sends this process SIGINT."""
    def ready() -> None:
        os.kill(os.getpid(), signal.SIGINT)
    with eryx.Sandbox(callbacks=[ready, *callbacks], timeout=50, **options) as sandbox:
        with pytest.raises(KeyboardInterrupt):
            sandbox.execute(code)
        assert not sandbox.executing
        assert sandbox.execute("1 + 1").value == 2


class Signalled(threading.Thread):
    """Sends a signal when the program says that it has begun (by output)."""

    def __init__(self, number):
        super().__init__()
        self.number, self.begun = number, threading.Event()

    def run(self):
        self.begun.wait(30)
        os.kill(os.getpid(), self.number)

    def on_output(self, stream, text):
        self.begun.set()


@pytest.mark.parametrize("body", ["while True: pass", "import time; time.sleep(100)",
                                  "import asyncio; await asyncio.sleep(100)"])
def test_keyboard_interrupt_while_a_program_runs(body):
    thread = Signalled(signal.SIGINT)
    thread.start()
    with eryx.Sandbox(on_output=thread.on_output, timeout=50) as sandbox:
        with pytest.raises(KeyboardInterrupt):
            sandbox.execute("print('begun', flush=True)\n" + body)
        thread.join()
        assert not sandbox.executing
    with eryx.Sandbox() as sandbox:
        assert sandbox.execute("1 + 1").value == 2


@pytest.mark.parametrize("body", ["while True: pass", "import time; time.sleep(100)",
                                  "import asyncio; await asyncio.sleep(100)"])
def test_keyboard_interrupt_without_streams(body):
    """The main thread runs the program itself then."""
    begun = threading.Event()

    def begin() -> None:
        begun.set()

    def send():
        begun.wait(30)
        os.kill(os.getpid(), signal.SIGINT)
    thread = threading.Thread(target=send)
    thread.start()
    with eryx.Sandbox(callbacks=[begin], timeout=50) as sandbox:
        sandbox.execute("x = 1")
        with pytest.raises(KeyboardInterrupt):
            sandbox.execute("begin()\nx = 2\n" + body)
        thread.join()
        assert sandbox.execute("x").value == 1  # rolled back
    assert signal.set_wakeup_fd(-1) == -1


def test_handlers_of_signals_run_while_a_program_runs():
    """With a handler that is no KeyboardInterrupt the program goes on."""
    begun, handled = threading.Event(), []

    def begin() -> None:
        begun.set()

    def send():
        begun.wait(30)
        os.kill(os.getpid(), signal.SIGINT)
    thread = threading.Thread(target=send)
    before = signal.signal(signal.SIGINT, lambda number, frame: handled.append(number))
    try:
        thread.start()
        with eryx.Sandbox(callbacks=[begin, eryx.callback(lambda: bool(handled), name="arrived",
                                                          blocking=True)]) as sandbox:
            assert sandbox.execute("import time\nbegin()\nwhile not arrived(): time.sleep(0.001)\n3"
                                   ).value == 3
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert handled == [signal.SIGINT]


def test_keyboard_interrupt_in_a_callback():
    interrupted("ready()\nwhile True: pass")


def test_keyboard_interrupt_with_async_callbacks():
    async def one() -> int:
        return 1
    interrupted("await one()\nready()\nwhile True: pass", callbacks=[one])


def test_keyboard_interrupt_of_asyncio_run():
    """asyncio.run cancels the main task, and so the program."""
    async def main():
        async def ready() -> None:
            os.kill(os.getpid(), signal.SIGINT)
        await eryx.run_async("await ready()\nimport asyncio\nawait asyncio.sleep(100)",
                             callbacks=[ready])
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())


def test_other_signals_run_their_handlers_and_the_program_goes_on():
    thread = Signalled(signal.SIGUSR1)
    handled = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(number))

    def arrived() -> bool:
        return bool(handled)
    try:
        thread.start()
        outcome = eryx.run("import time\nprint('begun', flush=True)\n"
                           "while not arrived(): time.sleep(0.001)\n'on'", callbacks=[arrived],
                           on_output=thread.on_output)
        thread.join()
        assert (outcome.value, handled) == ("on", [signal.SIGUSR1])
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_signal_while_nothing_happens_in_the_program():
    """Its handler runs in time: it is what ends the waiting."""
    thread = Signalled(signal.SIGUSR1)

    def handler(number, frame):
        raise TimeoutError("of the host")
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        thread.start()
        with pytest.raises(TimeoutError, match="of the host"):
            eryx.run("import time\nprint('begun', flush=True)\ntime.sleep(100)",
                     on_output=thread.on_output)
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_threads_run_at_the_same_time():
    """Each of two programs waits in a callback until the other is there."""
    barrier = threading.Barrier(2)

    def meet() -> int:
        return barrier.wait(30)
    results = []
    threads = [threading.Thread(target=lambda: results.append(
        eryx.run("meet()", callbacks=[meet]).value)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 1]


def test_the_gil_is_free_while_a_program_computes():
    sandbox = eryx.Sandbox(timeout=50)
    ended = []

    def work():
        try:
            sandbox.execute("while True: pass")
        except eryx.InterruptedError as error:
            ended.append(error)
    thread = threading.Thread(target=work)
    thread.start()
    while not sandbox.executing:
        pass
    total = sum(range(100_000))  # Python goes on here
    sandbox.interrupt()
    thread.join(30)
    assert (total, len(ended)) == (4999950000, 1)
    sandbox.close()


def test_one_sandbox_from_several_threads():
    """One at a time may use it, any thread; a second one is refused."""
    errors, values = [], []
    sandbox = eryx.Sandbox()
    sandbox.execute("n = 0")

    def work():
        for _ in range(50):
            try:
                values.append(sandbox.execute("n += 1", result="n").value)
            except eryx.StateError as error:
                errors.append(error)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(values) + len(errors) == 200
    assert sorted(values) == list(range(1, len(values) + 1))
    sandbox.close()


def test_interrupt_before_and_after_does_nothing():
    with eryx.Sandbox() as sandbox:
        sandbox.interrupt()
        assert sandbox.execute("1").value == 1
        sandbox.interrupt()
        assert sandbox.execute("2").value == 2
    sandbox.interrupt()


def test_cycles_are_collected():
    runtime = eryx.Runtime(max_sandboxes=2)

    def make():
        def use() -> bool:
            return sandbox.closed
        sandbox = eryx.Sandbox(callbacks=[use], runtime=runtime)
        assert sandbox.execute("use()").value is False
        return weakref.ref(sandbox)
    for _ in range(5):
        reference = make()
        gc.collect()
        assert reference() is None


def test_forgotten_sandboxes_give_their_place_back():
    runtime = eryx.Runtime(max_sandboxes=1)
    for n in range(10):
        assert eryx.Sandbox(runtime=runtime).execute(f"{n}").value == n


def test_outcomes_outlive_their_sandbox():
    outcome = eryx.run("print('x' * 10)")
    gc.collect()
    assert outcome.stdout == "x" * 10 + "\n"


@pytest.mark.parametrize("use", [lambda s: s.execute("1"), lambda s: s.snapshot(),
                                 lambda s: s.restore(b""), lambda s: s.clear()])
def test_closed_sandbox(use):
    sandbox = eryx.Sandbox()
    sandbox.close()
    sandbox.close()
    assert sandbox.closed and "closed" in repr(sandbox)
    with pytest.raises(eryx.StateError, match="the sandbox is closed"):
        use(sandbox)


def test_closed_session():
    async def main():
        session = eryx.Session()
        await session.close()
        with pytest.raises(eryx.StateError, match="the sandbox is closed"):
            await session.execute("1")
    asyncio.run(main())


@pytest.mark.parametrize("options, error, message", [
    ({"callbacks": len}, TypeError, "callbacks must be a list"),
    ({"callbacks": [3]}, TypeError, "a callback must be callable, not int"),
    ({"timeout": "2"}, TypeError, "limit wall_time must be seconds, not str"),
    ({"timeout": -1}, ValueError, "limit wall_time of -1 s"),
    ({"memory": "12X"}, ValueError, "'12X' is no size"),
    ({"memory": 1024}, eryx.ArgumentError, "memory limit of 1024 bytes"),
    ({"limits": 3}, TypeError, "limits must be Limits, not int"),
    ({"limits": eryx.Limits(pending_calls=1 << 40)}, ValueError, "pending_calls"),
    ({"runtime": "x"}, TypeError, "runtime must be Runtime, not str"),
    ({"argv": "abc"}, TypeError, "argv must be list or tuple, not str"),
    ({"argv": [1]}, TypeError, None),
    ({"argv": ["a\0b"]}, ValueError, "a NUL character in argv"),
    ({"environ": ["A=1"]}, TypeError, "environ must be Mapping, not list"),
    ({"stdin": 3}, TypeError, "stdin must be str or bytes, not int"),
    ({"on_output": 3}, TypeError, "on_output must be callable"),
    ({"on_trace": 3}, TypeError, "on_trace must be callable"),
    ({"output_mode": "words"}, ValueError, "output_mode must be"),
    ({"on_trace": print, "trace_locals": -1}, (OverflowError, ValueError), None),
    ({"unknown": 1}, TypeError, "unknown"),
])
def test_wrong_options(options, error, message):
    with pytest.raises(error, match=message):
        eryx.Sandbox(**options)


@pytest.mark.parametrize("arguments, error, message", [
    ({"code": b"1"}, TypeError, "code must be str, not bytes"),
    ({"code": "1", "result": ""}, ValueError, "result is empty"),
    ({"code": "1", "result": 3}, TypeError, "result must be bool, not int"),
    ({"code": "\ud800"}, UnicodeEncodeError, "surrogates"),
    ({"code": "1", "filename": 3}, TypeError, None),
])
def test_wrong_arguments_of_execute(arguments, error, message):
    with eryx.Sandbox() as sandbox:
        with pytest.raises(error, match=message):
            sandbox.execute(**arguments)
        assert sandbox.execute("1").value == 1


def test_syntax_errors_are_the_programs():
    with pytest.raises(eryx.GuestError, match="SyntaxError"):
        eryx.run("def")


def test_extension_types_cannot_be_misused():
    raw = eryx._sandbox._eryx
    for make in (raw.Outcome, raw.Call):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        raw.Sandbox(None, {})
    with pytest.raises(TypeError, match="no limit is called nonsense"):
        raw.Sandbox(eryx.Runtime.default()._raw, {"limits": {"nonsense": 1}})
    driver = raw.Driver(1)
    driver.close()
    driver.close()
    with pytest.raises(eryx.StateError):
        driver.wait(False)


def in_another_process(code):
    done = subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_forked_child_has_its_own_runtime():
    assert in_another_process("""
import os, eryx
eryx.run("1")
sandbox = eryx.Sandbox()
child = os.fork()
if child == 0:
    try:
        sandbox.execute("1")
    except eryx.StateError as error:
        assert "forked" in str(error)
        os.write(1, eryx.run("'child'").value.encode())
        os._exit(0)
    os._exit(1)
assert os.waitpid(child, 0)[1] == 0
print(" parent", sandbox.execute("2").value)
""") == "child parent 2\n"


def test_process_ends_while_programs_run():
    assert in_another_process("""
import asyncio, threading, eryx
threading.Thread(target=lambda: eryx.run("while True: pass", check=False), daemon=True).start()
async def main():
    session = eryx.Session()
    task = asyncio.ensure_future(session.execute("while True: pass"))
    while not session.executing:
        await asyncio.sleep(0)
    print("leaving", flush=True)
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
import os
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # asyncio's complaint about the task
""") == "leaving\n"


def test_keyboard_interrupt_in_a_callback_on_a_loop():
    """It ends the loop; what else runs there ends, too."""
    ends = []

    async def main():
        def leave() -> None:
            raise KeyboardInterrupt

        async def other():
            try:
                await eryx.run_async("import asyncio; await asyncio.sleep(100)", timeout=50)
            finally:
                ends.append("other")
        task = asyncio.create_task(other())
        await asyncio.sleep(0.01)
        await eryx.run_async("leave()\nwhile True: pass", callbacks=[leave], timeout=50)
        await task
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert ends == ["other"]
    assert eryx.run("3").value == 3


def refuse(stream, text):
    raise RuntimeError("disk full")


def test_nothing_leaks_when_handlers_raise():
    def fail_twice(sandbox):
        with pytest.raises(RuntimeError, match="disk full"):
            sandbox.execute("print('x')")
        sandbox.close()
        with pytest.raises(eryx.StateError):
            sandbox.execute("1")

    def threads():
        return len(os.listdir("/proc/self/task"))
    fail_twice(eryx.Sandbox(on_output=refuse))
    before = threads()
    for _ in range(20):
        fail_twice(eryx.Sandbox(on_output=refuse))
    assert threads() == before


def test_no_descriptors_or_threads_leak():
    def resources():
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    async def main():
        await asyncio.gather(*[eryx.run_async("1") for _ in range(10)])
    for _ in range(3):
        asyncio.run(main())
    gc.collect()
    before = resources()
    for _ in range(10):
        asyncio.run(main())
        eryx.run("1")
    gc.collect()
    assert resources() == before
