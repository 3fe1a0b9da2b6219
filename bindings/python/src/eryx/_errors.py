"""Exceptions: what the library refuses (`Error`), and how programs end (`ExecutionError`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._outcome import Outcome

__all__ = ["Error", "ArgumentError", "StateError", "HostMemoryError", "RuntimeFileError",
           "HostLimitError", "EngineError", "ResultError", "ExecutionError", "GuestError",
           "LimitError", "InterruptedError", "ExitError", "TrapError"]


class Error(Exception):
    """The library could not do what was asked. No error of a program: see ExecutionError."""


class ArgumentError(Error, ValueError):
    """An argument is out of range or malformed."""


class StateError(Error, RuntimeError):
    """Not possible now: the sandbox is closed, is executing already, ..."""


class HostMemoryError(Error, MemoryError):
    """The host is out of memory or address space."""


class RuntimeFileError(Error):
    """runtime.cwasm, or a snapshot, cannot be read, is damaged, or is of another version."""


class HostLimitError(Error):
    """A limit of the host's side is reached: too many sandboxes, too large a snapshot, ..."""


class EngineError(Error):
    """The WebAssembly engine refused, or the runtime inside the sandbox broke the contract."""


class ResultError(Error, TypeError):
    """The value of a program is not JSON."""


class ExecutionError(Exception):
    """A program did not end well. `outcome` has all that is known, its output included."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome = outcome


class GuestError(ExecutionError):
    """A program raised an exception that it did not catch.

    `type` is the qualified name of its class, `message` what str() gave, `traceback` the text that
    Python prints; the traceback is also a note of this exception, so the host's shows it.

    >>> try:
    ...     eryx.run("def f():\\n    return {}['key']\\nf()")
    ... except eryx.GuestError as error:
    ...     print(error.type, error.message)
    ...     print(error.traceback.splitlines()[1])
    KeyError 'key'
      File "<eryx>", line 3, in <module>
    """

    def __init__(self, outcome: Outcome) -> None:
        self.type = outcome.exception_type
        self.message = outcome.exception_message
        self.traceback = outcome.traceback
        super().__init__(f"{self.type}: {self.message}" if self.message else self.type, outcome)
        self.add_note("In the sandbox:\n" + self.traceback.rstrip("\n"))


class LimitError(ExecutionError):
    """A limit ended the program: `limit` is its name, `value` what was allowed, `used` what was
    used (nanoseconds or bytes).

    >>> try:
    ...     eryx.run("while True: pass", timeout=0.1)
    ... except eryx.LimitError as error:
    ...     error.limit, error.value
    ('wall time', 100000000)
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.exception_message, outcome)
        self.limit = outcome.limit
        self.value = outcome.limit_value
        self.used = outcome.limit_used


class InterruptedError(ExecutionError):
    """interrupt() stopped the program."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.exception_message or "interrupted", outcome)


class ExitError(ExecutionError):
    """The program ended itself with an exit code that is not 0: sys.exit(3), os._exit(1)."""

    def __init__(self, outcome: Outcome) -> None:
        self.code = outcome.exit_code
        super().__init__(f"exit code {self.code}", outcome)


class TrapError(ExecutionError):
    """The interpreter crashed inside the sandbox: os.abort(), C stack exhausted, ..."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.exception_message, outcome)


# By eryx_status_t; the extension raises these.
BY_CODE: dict[int, type[Error]] = {
    -1: ArgumentError,
    -2: HostMemoryError,
    -3: RuntimeFileError,
    -4: RuntimeFileError,
    -5: RuntimeFileError,
    -6: StateError,
    -7: HostLimitError,
    -8: EngineError,
    -9: EngineError,
}
