"""Runs one of CPython's own test modules in a sandbox: guest.py MODULE [LEFT_OUT ...]

For each test a line goes to standard output that begins with MARK and is JSON: {"start": id} before it, and
{"test": id, "result": "passed" | "failed" | "skipped", "reason": text} after it. The last one is {"done": true}.
A module that asks to be skipped says {"module": "skipped", "reason": text}. Tests whose names match a
pattern LEFT_OUT are not run: {"left_out": pattern} says that there are such.
"""
import fnmatch
import json
import os
import sys
import tempfile
import traceback
import unittest

# Extension modules that exist only for the tests: without them a test is skipped, as most ask to be.
FOR_TESTS = {"_testbuffer", "_testcapi", "_testclinic", "_testclinic_limited", "_testexternalinspection",
             "_testimportmultiple", "_testinternalcapi", "_testlimitedcapi", "_testmultiphase",
             "_testsinglephase", "_ctypes_test", "_xxtestfuzz", "xxlimited", "xxlimited_35", "xxsubtype"}
MARK = "\n\x1eeryx "
REASON_CHARACTERS = 600
_write = os.write


def say(**fields):
    data = (MARK + json.dumps(fields) + "\n").encode()
    while data:
        data = data[_write(1, data):]


def shorten(text):
    text = str(text)
    if len(text) > REASON_CHARACTERS:
        text = text[:REASON_CHARACTERS // 2] + " ... " + text[-REASON_CHARACTERS // 2:]
    return text


def last_line(error):
    """The exception's type and message, and where in the test it was raised."""
    kind, value, trace = error
    frames = [f"{os.path.basename(frame.filename)}:{frame.lineno}"
              for frame in traceback.extract_tb(trace)
              if "/unittest/" not in frame.filename and "guest.py" not in frame.filename]
    lines = traceback.format_exception_only(kind, value)
    return shorten("".join(lines).strip() + f" [{' '.join(frames[-3:])}]")


def only_for_tests(error):
    return isinstance(error, ModuleNotFoundError) and error.name in FOR_TESTS


class Result(unittest.TestResult):
    """Says each result as it comes. A test fails once, however many of its subtests do."""

    def startTest(self, test):
        super().startTest(test)
        self.told = None
        say(start=test.id())

    def tell(self, test, result, reason=""):
        if self.told not in ("failed", result):
            self.told = result
            say(test=test.id(), result=result, reason=reason)

    def failure(self, test, error):
        self.tell(test, "failed", last_line(error))
        traceback.print_exception(*error, file=sys.__stderr__)

    def addSuccess(self, test):
        super().addSuccess(test)
        if self.told is None:
            self.tell(test, "passed")

    def addError(self, test, err):
        if only_for_tests(err[1]):
            return self.addSkip(test, f"No module named {err[1].name!r}")
        super().addError(test, err)
        if not hasattr(test, "_testMethodName"):
            self.told = None  # a class or a module that could not be set up
        self.failure(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failure(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None and only_for_tests(err[1]):
            return self.tell(test, "skipped", f"No module named {err[1].name!r}")
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.failure(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        if not hasattr(test, "_testMethodName"):
            self.told = None
        if hasattr(test, "test_case"):  # a subtest: the rest of its test goes on
            return
        self.tell(test, "skipped", shorten(reason))

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.tell(test, "passed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.tell(test, "failed", "unexpected success")


def without(suite, left_out, found):
    kept = []
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            without(test, left_out, found)
        elif matching := [pattern for pattern in left_out if fnmatch.fnmatchcase(test.id(), pattern)]:
            found.update(matching)
            continue
        kept.append(test)
    suite._tests = kept


def set_up(module):
    """What test.libregrtest does before it runs a module."""
    from test import support
    from test.support import os_helper
    support.record_original_stdout(sys.stdout)
    sys.stdout.reconfigure(errors="backslashreplace")
    os_helper.SAVEDCWD = os.getcwd()
    unittest.BaseTestSuite._cleanup = False
    support.use_resources = []
    support.verbose = 0
    # On WASI the tests assume no sockets and skip all of asyncio, most of which needs none.
    support.has_socket_support |= module.startswith("test_asyncio.")
    os.chdir(tempfile.mkdtemp(prefix="test_python_"))


def from_deep(call, depth=8):
    """test.libregrtest runs tests from as deep in the stack, and test_tracemalloc counts that."""
    return from_deep(call, depth - 1) if depth else call()


def main():
    module, left_out = sys.argv[1], sys.argv[2:]
    sys.argv[1:] = []
    set_up(module)
    loader = unittest.TestLoader()
    try:
        tests = loader.loadTestsFromModule(__import__("test." + module, fromlist=["*"]))
    except unittest.SkipTest as skip:
        say(module="skipped", reason=shorten(skip))
        say(done=True)
        return
    except BaseException as error:
        if only_for_tests(error):
            say(module="skipped", reason=str(error))
            say(done=True)
            return
        say(module="failed", reason=last_line(sys.exc_info()))
        raise
    for error in loader.errors:
        say(module="failed", reason=shorten(error))
    found = set()
    without(tests, left_out, found)
    for pattern in found:
        say(left_out=pattern)
    from_deep(lambda: tests.run(Result()))
    say(done=True)


main()
