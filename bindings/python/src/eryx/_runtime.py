"""Runtimes: the compiled Python that sandboxes are made from. Most programs use the default one."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from typing import Any

from . import _eryx

__all__ = ["Runtime"]

_lock = threading.Lock()
_default: Runtime | None = None


def _paths(packages: Any, requirements: Any) -> tuple[tuple[bool, bytes], ...]:
    """What the extension takes: (is a requirements file, path)."""
    if isinstance(packages, (str, bytes, os.PathLike)):
        raise TypeError(f"packages must be a list: [{packages!r}]")
    if isinstance(requirements, (str, os.PathLike)):
        requirements = [requirements]
    return (*((False, os.fsencode(path)) for path in packages),
            *((True, os.fsencode(path)) for path in requirements))


class Runtime:
    """An open runtime file, shared by any number of sandboxes and threads.

    path: a runtime.cwasm; None: $ERYX_RUNTIME, else the one in this package.
    max_sandboxes: how many may live at once. Each reserves 4 GiB of address space, not memory.
    max_warm: used instances that are kept ready for the next sandbox.
    prewarm: instances that are made at once, so that the first sandboxes are as fast as later ones.
    wait: seconds that a new sandbox waits for a place when max_sandboxes live already (blocking the thread);
        0: HostLimitError at once.
    verify: check the hash of the whole file (about 0.1 s).
    fuel: open the build that counts what programs execute (runtime-fuel.cwasm), for Limits.fuel and
        Outcome.fuel_used; Python is about half as fast. It is not in the wheel: $ERYX_RUNTIME_FUEL or path.
    packages: wheels and folders of modules that programs of all its sandboxes can import. The first time they
        are imported once, and kept as an image in ~/.cache/eryx: later sandboxes, of any process, have them
        imported from the beginning and start as fast as those without.
    requirements: a requirements file of pip, or several: pip (of this Python) downloads the wheels, their hashes are
        kept in FILE.lock beside it. build=False: nothing is built from its source, which would run code of
        the package here; locked=True: nothing but the lock file counts.

    >>> eryx.Runtime.default().info["python_version"]
    '3.14.0'
    """

    __slots__ = ("_raw", "__weakref__")

    def __init__(self, path: str | os.PathLike[str] | None = None, *, max_sandboxes: int = 4096,
                 max_warm: int = 16, prewarm: int = 0, wait: float = 0, verify: bool = False,
                 fuel: bool = False, packages: Sequence[str | os.PathLike[str]] = (),
                 requirements: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
                 build: bool = True, locked: bool = False) -> None:
        for name, value in (("max_sandboxes", max_sandboxes), ("max_warm", max_warm),
                            ("prewarm", prewarm)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be int, not {type(value).__name__}")
            if not 0 <= value < 1 << 32:
                raise ValueError(f"{name} of {value}: must be between 0 and 2**32 - 1")
        if isinstance(wait, bool) or not isinstance(wait, (int, float)):
            raise TypeError(f"wait must be seconds, not {type(wait).__name__}")
        if not 0 <= wait < 1e9:
            raise ValueError(f"wait of {wait} s: must be between 0 and 1e9")
        self._raw = _eryx.Runtime("" if path is None else os.fspath(path), max_sandboxes, max_warm,
                                  verify, fuel, prewarm, round(wait * 1e9),
                                  _paths(packages, requirements), build, locked,
                                  os.fsencode(sys.executable or ""))

    @property
    def info(self) -> dict[str, Any]:
        """Versions, path, build id and sizes."""
        return self._raw.info()

    @staticmethod
    def default() -> Runtime:
        """The runtime that is used where none is given; opened when first asked for."""
        global _default
        if _default is None:
            with _lock:
                if _default is None:
                    _default = Runtime()
        return _default

    def __repr__(self) -> str:
        return f"<eryx.Runtime {self.info['path'] or 'from memory'}>"


def _after_fork() -> None:
    """The child has none of the runtime's threads: it opens its own."""
    global _default, _lock
    _default = None
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
