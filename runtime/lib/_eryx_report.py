"""What the host is told of the exception that ended an execution."""

import sys
import traceback

_OURS = frozenset({"_eryx_callbacks", "_eryx_loop", "_eryx_source", "_eryx_start"})
_MAX_CHAIN = 1000  # exceptions looked at in one chain or group


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


def describe(error):
    """(type, message, traceback, exit code or None)"""
    kind = type(error)
    chain = _chain(error)
    for each in chain:
        each.__traceback__ = _strip(each.__traceback__)
    text = "".join(traceback.TracebackException(
        kind, error, error.__traceback__, compact=True).format())
    code = _exit_code(error) if isinstance(error, SystemExit) else None
    # Surrogates cannot go out as UTF-8.
    return (_qualified(kind).encode("utf-8", "backslashreplace"),
            _message(error).encode("utf-8", "backslashreplace"),
            text.encode("utf-8", "backslashreplace"), code)
