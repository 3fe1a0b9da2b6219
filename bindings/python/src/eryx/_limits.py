"""Limits of a sandbox, in the units people use."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Union

from ._errors import ArgumentError

__all__ = ["Limits", "Size"]

Size = Union[int, str]
"""Bytes, or text like "256M" (K, M, G: powers of 1,024)."""

_SIZE = re.compile(r"(\d+)\s*([KMG]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _bytes(name: str, value: Size) -> int:
    if isinstance(value, str):
        found = _SIZE.fullmatch(value.strip())
        if not found:
            raise ArgumentError(f"limit {name}: {value!r} is no size; write bytes, or \"256M\"")
        return int(found[1]) * _UNITS[found[2].upper()]
    return _count(name, value)


def _count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"limit {name} must be int, not {type(value).__name__}")
    if not 0 <= value < 1 << 64:
        raise ArgumentError(f"limit {name} of {value}: must be between 0 and 2**64 - 1")
    return value


def _nanoseconds(name: str, value: float) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"limit {name} must be seconds, not {type(value).__name__}")
    if not 0 <= value < 1e9:
        raise ArgumentError(f"limit {name} of {value} s: must be between 0 (none) and 1e9")
    return max(round(value * 1e9), 1 if value else 0)


def _flag(name: str, value: bool) -> int:
    if not isinstance(value, bool):
        raise TypeError(f"limit {name} must be bool, not {type(value).__name__}")
    return int(value)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one sandbox. What is None has the library's default.

    >>> eryx.run("while True: pass", limits=eryx.Limits(wall_time=0.05))
    Traceback (most recent call last):
    eryx.LimitError: wall time limit of 0.05 s exceeded
    """

    wall_time: float | None = None
    """Seconds of one execution, waiting included. 0: none. Default 60."""
    memory: Size | None = None
    """Linear memory, the image included; past it Python raises MemoryError. Default 512M."""
    output: Size | None = None
    """Output of one execution that is kept; what exceeds it is dropped. Default 16M."""
    pending_calls: int | None = None
    """Calls of callbacks at once. Default 16,384."""
    total_calls: int | None = None
    """Calls of callbacks in one execution. Default 1,000,000."""
    call_arguments: Size | None = None
    """Arguments of all calls of one execution together. Default 64M."""
    call_result: Size | None = None
    """Result of one call. Default 64M."""
    result: Size | None = None
    """JSON of an outcome's value. Default 64M."""
    snapshot: Size | None = None
    """A snapshot. Default 256M."""
    cpu_time: float | None = None
    """Seconds of CPU time of one execution. 0: none, the default."""
    host_memory: Size | None = None
    """What the host itself holds for the sandbox: kept output, pending calls, ... Default 256M."""
    stop_on_output: bool | None = None
    """The first write beyond `output` ends the execution. Default False."""
    net_connections: int | None = None
    """Sockets in use at once. Default 64."""
    net_connections_total: int | None = None
    """In the sandbox's life. Default 10,000."""
    net_bytes_in: Size | None = None
    """Of all sockets in the sandbox's life. Default 1G."""
    net_bytes_out: Size | None = None
    """The same for what is sent. Default 1G."""
    net_connect_time: float | None = None
    """Seconds until a connection stands. 0: none. Default 30."""
    net_idle_time: float | None = None
    """Seconds without a byte on a connection. 0: none. Default 300."""
    file_system: Size | None = None
    """Contents and names of files in the sandbox's own memory. Default 1G."""
    files: int | None = None
    """Files, folders and symlinks there. Default 200,000."""
    open_files: int | None = None
    """At once; those in mounts are counted apart. Default 1,000."""
    recursion: int | None = None
    """What sys.setrecursionlimit sets at most. Default 1,000,000."""
    extensions: Size | None = None
    """Native extension modules that programs may load. Default 64M."""
    fuel: int | None = None
    """WebAssembly instructions of one execution, the same on any machine; needs Runtime(fuel=True). 0: no
    limit, the default."""

    def _raw(self) -> dict[str, int]:
        """Names and units of eryx_limits_t."""
        raw = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                name, convert = _RAW[field.name]
                raw[name] = convert(field.name, value)
        return raw


_RAW = {
    "wall_time": ("wall_time_ns", _nanoseconds),
    "memory": ("memory_bytes", _bytes),
    "output": ("output_bytes", _bytes),
    "pending_calls": ("pending_calls", _count),
    "total_calls": ("total_calls", _count),
    "call_arguments": ("call_argument_bytes", _bytes),
    "call_result": ("call_result_bytes", _bytes),
    "result": ("result_bytes", _bytes),
    "snapshot": ("snapshot_bytes", _bytes),
    "cpu_time": ("cpu_time_ns", _nanoseconds),
    "host_memory": ("host_memory_bytes", _bytes),
    "stop_on_output": ("stop_on_output", _flag),
    "net_connections": ("net_connections", _count),
    "net_connections_total": ("net_connections_total", _count),
    "net_bytes_in": ("net_bytes_in", _bytes),
    "net_bytes_out": ("net_bytes_out", _bytes),
    "net_connect_time": ("net_connect_time_ns", _nanoseconds),
    "net_idle_time": ("net_idle_time_ns", _nanoseconds),
    "file_system": ("file_system_bytes", _bytes),
    "files": ("files", _count),
    "open_files": ("open_files", _count),
    "recursion": ("recursion", _count),
    "extensions": ("extension_bytes", _bytes),
    "fuel": ("fuel", _count),
}
