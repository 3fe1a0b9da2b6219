"""One program, sessions, limits, input and output: the blocking interface."""
import sys
import threading

import eryx
import pytest


def test_value_and_output():
    outcome = eryx.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n[1, {'a': None}]")
    assert (outcome.kind, outcome.ok, outcome.exit_code) == ("ok", True, 0)
    assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")
    assert (outcome.stdout_bytes, outcome.stderr_bytes) == (b"out\n", b"err\n")
    assert outcome.value == [1, {"a": None}]
    assert outcome.wall_time > 0
    assert outcome.check() is outcome


def test_it_is_another_python():
    assert eryx.run("import sys; list(sys.version_info[:2])").value == [3, 14]
    assert eryx.run("import sys; sys.maxsize").value == 2**31 - 1 != sys.maxsize


def test_names_persist_in_a_session_only():
    with eryx.Sandbox() as sandbox:
        sandbox.execute("x = 20")
        assert sandbox.execute("x + 1").value == 21
        sandbox.clear()
        assert sandbox.execute("'x' in globals()").value is False
    assert eryx.run("'x' in globals()").value is False


def test_results():
    with eryx.Sandbox() as sandbox:
        assert sandbox.execute("a = [1]").value is None
        assert sandbox.execute("b = {'k': 2}", result="b").value == {"k": 2}
        outcome = sandbox.execute("3", result=False)
        assert outcome.value is None and outcome.value_json is None
        outcome = sandbox.execute("{1, 2}")
        assert outcome.value_json is None
        with pytest.raises(eryx.ResultError, match="set"):
            outcome.value


def test_guest_exception_has_the_guests_traceback():
    with pytest.raises(eryx.GuestError) as caught:
        eryx.run("def f():\n    return 1 / 0\nf()\n", filename="job.py")
    error = caught.value
    assert (error.type, error.message) == ("ZeroDivisionError", "division by zero")
    assert 'File "job.py", line 2, in f' in error.traceback
    assert str(error) == "ZeroDivisionError: division by zero"
    assert any("line 2, in f" in note for note in error.__notes__)
    assert error.outcome.kind == "exception"


def test_check_false_gives_the_outcome():
    outcome = eryx.run("print('before')\nraise ValueError('no')", check=False)
    assert (outcome.kind, outcome.ok, outcome.stdout) == ("exception", False, "before\n")
    assert (outcome.exception_type, outcome.exception_message) == ("ValueError", "no")
    assert outcome.traceback.endswith("ValueError: no\n")
    assert "ValueError: no" in repr(outcome)


@pytest.mark.parametrize("code, status", [("import sys; sys.exit(3)", 3),
                                          ("import os; os._exit(4)", 4)])
def test_exit(code, status):
    with pytest.raises(eryx.ExitError) as caught:
        eryx.run(code)
    assert caught.value.code == caught.value.outcome.exit_code == status


def test_exit_with_success_is_no_error():
    assert eryx.run("import sys; sys.exit(0)").kind == "exit"


def test_wall_time():
    with pytest.raises(eryx.LimitError) as caught:
        eryx.run("while True: pass", timeout=0.05)
    error = caught.value
    assert (error.limit, error.value) == ("wall time", 50_000_000)
    assert error.used >= error.value


def test_memory():
    with pytest.raises(eryx.GuestError, match="MemoryError"):
        eryx.run("x = bytearray(100 << 20)", memory="96M")
    assert eryx.run("len(bytearray(100 << 20))", memory="512M").value == 100 << 20


def test_output_limit():
    outcome = eryx.run("print('x' * 100)", limits=eryx.Limits(output=10))
    assert (outcome.stdout, outcome.output_dropped) == ("x" * 10, 91)


def test_trap_leaves_a_usable_sandbox():
    with eryx.Sandbox() as sandbox:
        with pytest.raises(eryx.TrapError):
            sandbox.execute("import os; os.abort()")
        assert sandbox.execute("1 + 1").value == 2


def test_argv_environ_stdin_script():
    outcome = eryx.run("import os, sys\n[sys.argv, os.environ['WHO'], sys.stdin.read()]",
                       argv=["prog", "ä"], environ={"WHO": "me"}, stdin="line\nzwei ä\n")
    assert outcome.value == [["prog", "ä"], "me", "line\nzwei ä\n"]
    with eryx.Sandbox() as sandbox:
        sandbox.execute("x = 1")
        assert sandbox.execute("print('x' in globals(), __name__)", script=True).stdout \
            == "False __main__\n"


def test_stdin_function_is_asked():
    wanted = []
    lines = iter([b"first\n", "zweite\n", b""])

    def read(size):
        wanted.append(size)
        return next(lines)
    assert eryx.run("[input(), input()]", stdin=read).value == ["first", "zweite"]
    assert wanted and all(size > 0 for size in wanted)


def test_stdin_function_that_raises():
    def read(size):
        raise KeyError("nothing there")
    with pytest.raises(KeyError, match="nothing there"):
        eryx.run("input()", stdin=read)


def test_output_while_it_runs():
    """The program waits for a call that is made only after its output has arrived."""
    seen = []

    def seen_already() -> list[str]:
        return list(seen)
    outcome = eryx.run("import sys\nprint('one')\na = seen_already()\nprint('zwö', file=sys.stderr)\na",
                       callbacks=[seen_already], output_mode="line",
                       on_output=lambda stream, text: seen.append(f"{stream}:{text}"))
    assert outcome.value == ["stdout:one\n"]
    assert seen == ["stdout:one\n", "stderr:zwö\n"]
    assert outcome.stdout == ""


def test_split_characters_in_output():
    seen = []
    eryx.run("import os\nfor byte in 'aä€'.encode(): os.write(1, bytes([byte]))\nos.write(1, b'\\xc3')",
             on_output=lambda stream, text: seen.append(text))
    assert "".join(seen) == "aä€\ufffd" and "" not in seen


def test_more_output_than_the_host_buffers():
    size = 0

    def count(stream, text):
        nonlocal size
        size += len(text)
    eryx.run("for i in range(1000): print('x' * 19999)", on_output=count,
             limits=eryx.Limits(output="64M"))
    assert size == 20_000_000


def test_output_handler_that_raises():
    def refuse(stream, text):
        raise RuntimeError("disk full")
    with eryx.Sandbox(on_output=refuse) as sandbox:
        with pytest.raises(RuntimeError, match="disk full"):
            sandbox.execute("print('x')\nwhile True: pass")
        assert sandbox.execute("1").value == 1


def test_traces():
    events = []
    eryx.run("def f(x):\n    return x + 1\nf(1)\n", on_trace=events.append, trace_locals=200)
    calls = [event for event in events if event.type == "call" and event.function == "f"]
    assert len(calls) == 1
    line = next(event for event in events if event.type == "line" and event.function == "f")
    assert (line.line, line.locals["x"]) == (2, "1")


def test_snapshots():
    with eryx.Sandbox() as sandbox:
        sandbox.execute("def double(x): return 2 * x\nn = 4")
        data = sandbox.snapshot()
        sandbox.execute("n = 5; g = (i for i in ())")
        with pytest.raises(eryx.StateError, match="g"):
            sandbox.snapshot()
        assert sandbox.snapshot(skip_unpicklable=True)
    with eryx.Sandbox() as other:
        other.restore(data)
        assert other.execute("double(n)").value == 8
        with pytest.raises(eryx.RuntimeFileError):
            other.restore(b"not a snapshot")
        assert other.execute("double(n)").value == 8


def test_runtime():
    runtime = eryx.Runtime(max_sandboxes=1)
    assert runtime.info["eryx_version"] == eryx.__version__
    with eryx.Sandbox(runtime=runtime):
        with pytest.raises(eryx.HostLimitError):
            eryx.Sandbox(runtime=runtime)
    with eryx.Sandbox(runtime=runtime) as sandbox:
        assert sandbox.execute("1").value == 1
    assert eryx.Runtime.default() is eryx.Runtime.default()


def test_waiting_for_a_place():
    runtime = eryx.Runtime(max_sandboxes=1, wait=30, prewarm=1)
    first = eryx.Sandbox(runtime=runtime)
    values = []
    thread = threading.Thread(target=lambda: values.append(eryx.run("5", runtime=runtime).value))
    thread.start()
    assert first.execute("1").value == 1 and not values
    first.close()
    thread.join(30)
    assert values == [5]
    with pytest.raises(TypeError, match="wait must be seconds"):
        eryx.Runtime(wait="1")


def test_runtime_that_is_none(tmp_path):
    with pytest.raises(eryx.RuntimeFileError):
        eryx.Runtime(tmp_path / "missing.cwasm")
    (tmp_path / "bad.cwasm").write_bytes(b"\0" * 10000)
    with pytest.raises(eryx.RuntimeFileError):
        eryx.Runtime(tmp_path / "bad.cwasm")
