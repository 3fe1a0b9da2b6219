"""The session's namespace: clearing, saving and restoring it, and settings."""

import builtins
import gc
import io
import os
import sys
import types

import _eryx_callbacks
import _eryx_json
import _eryx_state
import _eryx_zone

_initial = {}


def remember():
    """What `clear` goes back to. At build time only."""
    _initial.update(modules=dict(sys.modules), path=list(sys.path), meta_path=list(sys.meta_path),
                    path_hooks=list(sys.path_hooks), environ=dict(os.environ), stdout=sys.stdout, stderr=sys.stderr,
                    stdin=sys.stdin, stdout_errors=sys.stdout.errors,
                    stderr_errors=sys.stderr.errors)


def new_main():
    """A `__main__` without names of the user, as `sys.modules` has it."""
    main = types.ModuleType("__main__")
    main.__builtins__ = builtins
    sys.modules["__main__"] = main
    return vars(main)


def clear():
    """Forgets what the user defined and imported, and undoes changes to the interpreter.
    C has put the builtins back."""
    sys.settrace(None)
    sys.setprofile(None)
    sys.modules.clear()
    sys.modules.update(_initial["modules"])
    sys.path[:] = _initial["path"]
    sys.meta_path[:] = _initial["meta_path"]
    sys.path_hooks[:] = _initial["path_hooks"]
    for stream in "stdin", "stdout", "stderr":
        setattr(sys, stream, _initial[stream])
    sys.excepthook = sys.__excepthook__
    sys.displayhook = sys.__displayhook__
    zoned = "TZ" in os.environ
    os.environ.clear()
    os.environ.update(_initial["environ"])
    if zoned:
        _eryx_zone.tzset()
    namespace = new_main()
    gc.collect()
    return namespace


def reopen_streams():
    """Makes new streams where the program has closed the standard ones; True if it did."""
    reopened = False
    for name, number in ("stdout", 1), ("stderr", 2):
        old = getattr(sys, f"__{name}__", None)
        if isinstance(old, io.TextIOWrapper) and not _closed(old):
            continue
        new = io.TextIOWrapper(io.BufferedWriter(io.FileIO(number, "wb", closefd=False)), "utf-8",
                               _initial[f"{name}_errors"], line_buffering=True)
        new.mode = "w"
        if getattr(sys, name, None) is old:
            setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
        _initial[name] = new
        reopened = True
    return reopened


def _closed(stream):
    try:
        return stream.closed
    except ValueError:  # detached
        return True


def configure_environ(old, new):
    """Takes the variables `old` out of os.environ and puts the pairs `new` in."""
    for name in old:
        os.environ.pop(name, None)
    for name, value in new:
        os.environ[name] = value
    if "TZ" in old or any(name == "TZ" for name, _ in new):
        _eryx_zone.tzset()
    return [name for name, _ in new]


def snapshot(namespace, skip=False):
    return _eryx_state.snapshot(namespace, _eryx_callbacks.names_in(namespace), bool(skip))


def restore(namespace, data):
    _eryx_state.restore(namespace, data, _eryx_callbacks.names_in(namespace))
    place(namespace)


def offer(namespace, infos):
    """The host's callbacks are these: (name, description, schema) each."""
    _eryx_callbacks.install(namespace, infos)


def place(namespace):
    """Puts the callbacks into a namespace, where it has no such names."""
    for name, value in _eryx_callbacks.placed.items():
        namespace.setdefault(name, value)


def to_json(value):
    """A result as JSON, in bytes; ValueError says why that is impossible."""
    try:
        return _eryx_json.to_json(value).encode()
    except Exception as error:  # whatever a user's class raises
        kind = type(value).__qualname__
        raise ValueError(f"a result of type {kind} is not JSON: {error}") from None


def variable_json(namespace, name):
    try:
        value = namespace[name]
    except KeyError:
        raise ValueError(f"there is no variable {name!r}") from None
    return to_json(value)
