"""What came out of one execution, and the events of a traced one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from . import _errors

if TYPE_CHECKING:
    from ._eryx import Outcome as RawOutcome

__all__ = ["Outcome", "TraceEvent"]

Kind = Literal["ok", "exception", "exit", "limit", "interrupted", "trap"]
KINDS: tuple[Kind, ...] = ("ok", "exception", "exit", "limit", "interrupted", "trap")
# Asked for a value by default, programs without one are no mistake.
_NO_EXPRESSION = "the code does not end with an expression"


class Outcome:
    """What came out of one execution. Immutable.

    >>> outcome = eryx.run("print('hi'); 6 * 7")
    >>> outcome.stdout, outcome.value, outcome.kind
    ('hi\\n', 42, 'ok')
    """

    __slots__ = ("_raw", "_value", "_cause")

    def __init__(self, raw: RawOutcome, cause: BaseException | None = None) -> None:
        self._raw = raw
        self._cause = cause

    @property
    def kind(self) -> Kind:
        """How the program ended: "ok", "exception", "exit", "limit", "interrupted" or "trap"."""
        return KINDS[self._raw.kind]

    @property
    def ok(self) -> bool:
        """Whether it ran to its end, or ended itself with exit code 0."""
        return self._raw.exit_code == 0

    @property
    def value(self) -> Any:
        """The value of the last expression, or what `result` asked for; None if there is none.

        ResultError if it cannot be told in JSON.
        """
        try:
            return self._value
        except AttributeError:
            pass
        text = self._raw.result_json
        if text is None and (self._raw.result_error or _NO_EXPRESSION) != _NO_EXPRESSION:
            raise _errors.ResultError(self._raw.result_error)
        self._value: Any = None if text is None else json.loads(text)
        return self._value

    @property
    def value_json(self) -> str | None:
        """The value as JSON text; None if there is none or it is not JSON."""
        return self._raw.result_json

    @property
    def stdout(self) -> str:
        """What it printed; empty if on_output took it."""
        return self._raw.stdout.decode("utf-8", "replace")

    @property
    def stderr(self) -> str:
        """What it wrote to stderr; empty if on_output took it."""
        return self._raw.stderr.decode("utf-8", "replace")

    @property
    def stdout_bytes(self) -> bytes:
        """What it printed, as written."""
        return self._raw.stdout

    @property
    def stderr_bytes(self) -> bytes:
        """What it wrote to stderr, as written."""
        return self._raw.stderr

    @property
    def output_dropped(self) -> int:
        """Bytes of output beyond the limit."""
        return self._raw.output_dropped

    @property
    def fuel_used(self) -> int:
        """WebAssembly instructions that it used; 0 unless the runtime counts (Runtime(fuel=True))."""
        return self._raw.fuel_used

    @property
    def exception_type(self) -> str:
        """Qualified name of the exception's class; "" without one."""
        return self._raw.exception_type or ""

    @property
    def exception_message(self) -> str:
        """str() of the exception; for "limit", "interrupted" and "trap" what happened."""
        return self._raw.exception_message or ""

    @property
    def traceback(self) -> str:
        """The traceback as Python prints it; "" without an exception."""
        return self._raw.traceback or ""

    @property
    def exit_code(self) -> int:
        """That of "exit"; else 0 for "ok" and 1 for the others."""
        return self._raw.exit_code

    @property
    def limit(self) -> str:
        """Which limit ended it: "wall time", ...; "" if none did."""
        return (self._raw.limit_name or "") if self._raw.limit else ""

    @property
    def limit_value(self) -> int:
        """What that limit allows (nanoseconds or bytes)."""
        return self._raw.limit_value

    @property
    def limit_used(self) -> int:
        """What was used of it."""
        return self._raw.limit_used

    @property
    def wall_time(self) -> float:
        """Seconds that the execution took."""
        return self._raw.wall_time_ns / 1e9

    @property
    def session_lost(self) -> bool:
        """Whether the session's names are gone: the next execution starts afresh."""
        return self._raw.session_lost

    def check(self) -> Outcome:
        """Returns itself if `ok`; otherwise raises the ExecutionError that says why not.

        >>> eryx.run("import sys; sys.exit(3)", check=False).check()
        Traceback (most recent call last):
        eryx.ExitError: exit code 3
        """
        if self._raw.exit_code == 0:
            return self
        raise _BY_KIND[self.kind](self) from self._cause

    def __repr__(self) -> str:
        parts: list[str] = [self.kind]
        if self.exception_type:
            parts.append(f"{self.exception_type}: {self.exception_message}")
        elif self.exception_message:
            parts.append(self.exception_message)
        if self.kind == "exit":
            parts.append(f"code {self.exit_code}")
        if self.value_json is not None and self.value_json != "null":
            text = self.value_json
            parts.append("value " + (text if len(text) <= 60 else text[:57] + "..."))
        return f"<eryx.Outcome {', '.join(parts)}>"


_BY_KIND: dict[str, Any] = {
    "exception": _errors.GuestError,
    "exit": _errors.ExitError,
    "limit": _errors.LimitError,
    "interrupted": _errors.InterruptedError,
    "trap": _errors.TrapError,
}


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One event of a traced program.

    >>> events = []
    >>> _ = eryx.run("x = 2", on_trace=events.append)
    >>> [(event.type, event.line) for event in events]
    [('call', 1), ('line', 1), ('return', 1)]
    """

    type: str
    """"line", "call", "return", "exception", "callback-start" or "callback-end"."""
    line: int
    """0 if the event has none."""
    file: str = ""
    function: str = ""
    name: str = ""
    """Of the callback."""
    exception: str = ""
    """"Type: message" of type "exception"."""
    locals: dict[str, str] | None = None
    """repr() of local variables, if trace_locals asked for them."""

    @classmethod
    def _from_json(cls, line: int, event: bytes, context: bytes) -> TraceEvent:
        told = json.loads(event)
        where = json.loads(context) if context else {}
        return cls(type=told.get("type", ""), line=line, file=where.get("file", ""),
                   function=where.get("function", ""), name=told.get("name", ""),
                   exception=told.get("exception", ""), locals=where.get("locals"))
