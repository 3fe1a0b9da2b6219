"""What the host is told of the exception that ended an execution."""

import sys
import traceback

import _eryx

_OURS = frozenset({"_eryx_callback", "_eryx_callbacks", "_eryx_driver", "_eryx_loop",
                   "_eryx_source", "_eryx_start"})
_MAX_CHAIN = 1000  # exceptions looked at in one chain or group
_MAX_CALLS = 2000  # of one traceback


def _qualified(kind):
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _is_ours(tb):
    return tb.tb_frame.f_globals.get("__name__") in _OURS


def _strip(tb):
    """The traceback without frames of the runtime."""
    while tb is not None and _is_ours(tb):
        tb = tb.tb_next
    at = tb
    while at is not None:
        after = at.tb_next
        while after is not None and _is_ours(after):
            after = after.tb_next
        if after is not at.tb_next:
            at.tb_next = after
        at = after
    return tb


def _shorten(tb):
    """Takes the middle out of a very long traceback; returns how many calls that are."""
    count = 0
    at = tb
    while at is not None:
        count += 1
        at = at.tb_next
    if count <= _MAX_CALLS:
        return 0
    for _ in range(_MAX_CALLS // 2 - 1):
        tb = tb.tb_next
    at = tb.tb_next
    for _ in range(count - _MAX_CALLS):
        at = at.tb_next
    tb.tb_next = at
    return count - _MAX_CALLS


class _Shortened(traceback.StackSummary):
    """A traceback that says how many calls are not shown."""

    def format(self, **options):
        half = _MAX_CALLS // 2
        return [*traceback.StackSummary.from_list(self[:half]).format(**options),
                f"  [{self.left_out} more calls]\n",
                *traceback.StackSummary.from_list(self[half:]).format(**options)]


def _tell_shortened(told, error, left_out, seen):
    """Puts the numbers of `left_out` into a TracebackException and those it is linked to."""
    if told is None or error is None or id(told) in seen:
        return
    seen.add(id(told))
    if left_out.get(id(error)):
        told.stack = _Shortened(told.stack)
        told.stack.left_out = left_out[id(error)]
    _tell_shortened(told.__cause__, error.__cause__, left_out, seen)
    _tell_shortened(told.__context__, error.__context__, left_out, seen)


def _chain(error):
    """The exception and all that its report shows."""
    seen = {}
    todo = [error]
    while todo and len(seen) < _MAX_CHAIN:
        error = todo.pop()
        if error is None or id(error) in seen:
            continue
        seen[id(error)] = error
        todo += error.__cause__, error.__context__
        if isinstance(error, BaseExceptionGroup):
            todo += error.exceptions
    return seen.values()


def _message(error):
    try:
        return str(error)
    except Exception:
        return "<exception str() failed>"


def _exit_code(error):
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        code &= 0xFFFFFFFF
        return code - 0x100000000 if code & 0x80000000 else code
    try:
        print(code, file=sys.stderr)
    except Exception:
        pass  # a broken sys.stderr changes nothing about the exit
    return 1


def release(error):
    """After MemoryError: clears the frames, whose variables may hold all the memory."""
    for each in _chain(error):
        traceback.clear_frames(each.__traceback__)


def _line(filename, number):
    source = _eryx.source(filename)
    if source is None:
        return ""
    return f"    {source.split(chr(10))[number - 1].strip()}\n"


def describe_plainly(error):
    """As `describe`, with nothing that a program can break."""
    lines = []
    tb = _strip(error.__traceback__)
    _shorten(tb)
    while tb is not None:
        code = tb.tb_frame.f_code
        lines.append(f'  File "{code.co_filename}", line {tb.tb_lineno}, in {code.co_name}\n'
                     + _line(code.co_filename, tb.tb_lineno))
        tb = tb.tb_next
    kind, message = _qualified(type(error)), _message(error)
    text = "".join(["Traceback (most recent call last):\n" if lines else "", *lines, kind,
                    f": {message}" if message else "", "\n"])
    return (kind.encode("utf-8", "backslashreplace"), message.encode("utf-8", "backslashreplace"),
            text.encode("utf-8", "backslashreplace"),
            _exit_code(error) if isinstance(error, SystemExit) else None)


def describe(error):
    """(type, message, traceback, exit code or None)"""
    kind = type(error)
    chain = _chain(error)
    left_out = {}
    for each in chain:
        tb = each.__traceback__ = _strip(each.__traceback__)
        left_out[id(each)] = _shorten(tb)
    told = traceback.TracebackException(kind, error, error.__traceback__, compact=True)
    if any(left_out.values()):
        _tell_shortened(told, error, left_out, set())
    text = "".join(told.format())
    code = _exit_code(error) if isinstance(error, SystemExit) else None
    # Surrogates cannot go out as UTF-8.
    return (_qualified(kind).encode("utf-8", "backslashreplace"),
            _message(error).encode("utf-8", "backslashreplace"),
            text.encode("utf-8", "backslashreplace"), code)
