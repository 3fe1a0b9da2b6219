"""Runtimes: the compiled Python that sandboxes are made from. Most programs use the default one."""

from __future__ import annotations

import os
import threading
from typing import Any

from . import _eryx

__all__ = ["Runtime"]

_lock = threading.Lock()
_default: Runtime | None = None


class Runtime:
    """An open runtime file, shared by any number of sandboxes and threads.

    path: a runtime.cwasm; None: $ERYX_RUNTIME, else the one in this package.
    max_sandboxes: how many may live at once. Each reserves 4 GiB of address space, not memory.
    max_warm: used instances that are kept ready for the next sandbox.
    verify: check the hash of the whole file (about 0.1 s).
    fuel: open the build that counts what programs execute (runtime-fuel.cwasm), for Limits.fuel and
        Outcome.fuel_used; Python is about half as fast. It is not in the wheel: $ERYX_RUNTIME_FUEL or path.

    >>> eryx.Runtime.default().info["python_version"]
    '3.14.0'
    """

    __slots__ = ("_raw", "__weakref__")

    def __init__(self, path: str | os.PathLike[str] | None = None, *, max_sandboxes: int = 4096,
                 max_warm: int = 16, verify: bool = False, fuel: bool = False) -> None:
        for name, value in (("max_sandboxes", max_sandboxes), ("max_warm", max_warm)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be int, not {type(value).__name__}")
            if not 0 <= value < 1 << 32:
                raise ValueError(f"{name} of {value}: must be between 0 and 2**32 - 1")
        self._raw = _eryx.Runtime("" if path is None else os.fspath(path), max_sandboxes, max_warm,
                                  verify, fuel)

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
