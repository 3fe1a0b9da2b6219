"""Files of a sandbox, for the host, between executions."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import Literal

from . import _eryx
from ._options import check

__all__ = ["AsyncFiles", "FileInfo", "Files"]

Kind = Literal["unknown", "block device", "character device", "directory", "fifo", "symlink", "file",
               "socket"]
_KINDS: tuple[Kind, ...] = ("unknown", "block device", "character device", "directory", "fifo",
                            "symlink", "file", "socket")
MAX_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file, directory or symbolic link."""

    kind: Kind
    size: int
    modified: float
    """Seconds since 1970."""


class Files:
    """`sandbox.files`: what programs see at a path is what is read, written and listed here, mounts included.
    Paths are absolute. Everything that a program left there is to be distrusted: names, links, sizes.

    >>> with eryx.Sandbox() as sandbox:
    ...     sandbox.files.write("/tmp/in.txt", "hello")
    ...     _ = sandbox.execute("open('/tmp/out.txt', 'w').write(open('/tmp/in.txt').read() * 2)")
    ...     sandbox.files.read("/tmp/out.txt"), sorted(sandbox.files.list("/tmp"))
    (b'hellohello', ['in.txt', 'out.txt'])
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: _eryx.Sandbox) -> None:
        self._raw = raw

    def read(self, path: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        """The whole file; HostLimitError if it has more than max_bytes (default 256 MiB)."""
        check("path", path, str)
        return self._raw.files_read(path, max_bytes)

    def write(self, path: str, data: str | bytes) -> None:
        """Makes the file, or replaces what is in it. Its directory must exist."""
        check("path", path, str)
        check("data", data, str, bytes)
        self._raw.files_write(path, data.encode() if isinstance(data, str) else data)

    def list(self, path: str) -> dict[str, Kind]:
        """Names in a directory, and what they are. Bytes that are not UTF-8 come as os.fsdecode does it."""
        check("path", path, str)
        return {os.fsdecode(name): _KINDS[kind] for name, kind in self._raw.files_list(path)}

    def stat(self, path: str) -> FileInfo:
        """Of a symbolic link itself."""
        check("path", path, str)
        kind, size, modified_ns = self._raw.files_stat(path)
        return FileInfo(_KINDS[kind], size, modified_ns / 1e9)

    def make_directory(self, path: str, *, parents: bool = False) -> None:
        """With parents: also those above it, and one that exists is no error."""
        check("path", path, str)
        self._raw.files_make_directory(path, parents)

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """A file, symbolic link or empty directory; recursive: with all that is in it."""
        check("path", path, str)
        self._raw.files_remove(path, recursive)


class AsyncFiles:
    """`session.files`: as Files, with methods that are awaited.

    >>> async def main():
    ...     async with eryx.Session() as session:
    ...         await session.files.write("/tmp/in.txt", b"hello")
    ...         return await session.files.stat("/tmp/in.txt")
    >>> asyncio.run(main()).size
    5
    """

    __slots__ = ("_files",)

    def __init__(self, raw: _eryx.Sandbox) -> None:
        self._files = Files(raw)

    async def read(self, path: str, *, max_bytes: int = MAX_BYTES) -> bytes:
        """See Files.read."""
        return await asyncio.to_thread(self._files.read, path, max_bytes=max_bytes)

    async def write(self, path: str, data: str | bytes) -> None:
        """See Files.write."""
        await asyncio.to_thread(self._files.write, path, data)

    async def list(self, path: str) -> dict[str, Kind]:
        """See Files.list."""
        return await asyncio.to_thread(self._files.list, path)

    async def stat(self, path: str) -> FileInfo:
        """See Files.stat."""
        return await asyncio.to_thread(self._files.stat, path)

    async def make_directory(self, path: str, *, parents: bool = False) -> None:
        """See Files.make_directory."""
        await asyncio.to_thread(self._files.make_directory, path, parents=parents)

    async def remove(self, path: str, *, recursive: bool = False) -> None:
        """See Files.remove."""
        await asyncio.to_thread(self._files.remove, path, recursive=recursive)
