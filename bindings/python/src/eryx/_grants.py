"""What of the host a sandbox is granted, besides callbacks: network, secrets, files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union

from . import _eryx
from ._errors import ArgumentError

__all__ = ["Archive", "Mount", "NetEvent", "Network", "Secret", "Tree"]

_NET_KINDS = ("", "resolve", "connect", "listen", "accept", "datagram", "close")
_MODES = {"ro": 0, "rw": 1, "overlay": 2}


def _strings(name: str, values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        raise TypeError(f"{name} must be a list of str, not one str: [{values!r}]")
    listed = list(values)
    for value in listed:
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a list of str, not of {type(value).__name__}")
    return listed


@dataclass(frozen=True, slots=True)
class NetEvent:
    """What a program did with the network, or tried."""

    kind: str
    """"resolve", "connect", "listen", "accept", "datagram" or "close"."""
    allowed: bool
    socket: int
    """Number of the socket in this sandbox; 0: none yet."""
    name: str
    """Host name, as far as known."""
    address: str
    """"1.2.3.4:80"; of "resolve" the addresses."""
    reason: str
    """Why not allowed, or how it ended."""
    bytes_in: int
    """Of "close": what went over the wire."""
    bytes_out: int


class Network:
    """What of the network programs may use.

    A rule is [tcp:|udp:|listen:]HOST[:PORT]; HOST is a name, "*.name", an address, a range or "*". Names
    and "*" grant public addresses only. Denials win.

    allow, deny: rules. allow_local: granted names may resolve to local addresses.
    on_event(NetEvent): is told what programs do and try.

    >>> seen = []
    >>> code = "import socket\\ntry: socket.create_connection(('192.0.2.1', 80))\\nexcept OSError: print('refused')"
    >>> eryx.run(code, network=eryx.Network(["example.org:443"], on_event=seen.append)).stdout
    'refused\\n'
    >>> [(event.kind, event.address, event.allowed) for event in seen]
    [('connect', '192.0.2.1:80', False)]
    """

    __slots__ = ("_raw", "_on_event")

    def __init__(self, allow: Iterable[str], deny: Iterable[str] = (), *, allow_local: bool = False,
                 on_event: Callable[[NetEvent], Any] | None = None) -> None:
        if on_event is not None and not callable(on_event):
            raise TypeError(f"on_event must be callable, not {type(on_event).__name__}")
        self._raw = (_strings("allow", allow), _strings("deny", deny), bool(allow_local),
                     on_event is not None)
        self._on_event = on_event

    def __repr__(self) -> str:
        return f"Network({self._raw[0]!r}, deny={self._raw[1]!r})"


class Secret:
    """A value that programs can use without having it: os.environ[name] is a placeholder, which becomes the
    value only in what is sent over TLS to one of the hosts. docs/secrets.md tells what that covers.

    value: 8 to 16,384 bytes. hosts: names, "*.name" or addresses. cleartext: also without TLS.

    >>> with eryx.Sandbox(secrets=[eryx.Secret("KEY", "sk-1234567890", ["example.org"])]) as sandbox:
    ...     sandbox.execute("import os; os.environ['KEY']").value == sandbox.placeholder("KEY")
    True
    """

    __slots__ = ("_raw",)

    def __init__(self, name: str, value: str, hosts: Iterable[str], *,
                 cleartext: bool = False) -> None:
        for what, text in (("name", name), ("value", value)):
            if not isinstance(text, str):
                raise TypeError(f"the {what} of a secret must be str, not {type(text).__name__}")
        self._raw = (name, value, _strings("hosts", hosts), bool(cleartext))

    def __repr__(self) -> str:
        return f"Secret({self._raw[0]!r}, ..., {self._raw[2]!r})"


class Archive:
    """The contents of an archive, for `mounts`: tar (plain or compressed) or zip, as wheels are. It is read once;
    archives are not trusted. Mounted read-only or as an overlay.

    >>> import pathlib, tempfile, zipfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "data.zip"
    >>> with zipfile.ZipFile(path, "w") as file:
    ...     file.writestr("a.txt", "hello")
    >>> eryx.run("open('/data/a.txt').read()", mounts={"/data": eryx.Archive(path)}).value
    'hello'
    """

    __slots__ = ("path", "_source")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._source = _eryx.Source.of_path(self.path, True)

    def __repr__(self) -> str:
        return f"Archive({self.path!r})"


class Tree:
    """A directory that is only in memory, for `mounts`: contents by relative path. Mounted read-only or as an
    overlay.

    >>> tree = eryx.Tree({"a.txt": "hello", "more/b.bin": b"\\x00"})
    >>> eryx.run("import os; sorted(os.listdir('/data')), open('/data/a.txt').read()",
    ...          mounts={"/data": tree}).value
    [['a.txt', 'more'], 'hello']
    """

    __slots__ = ("_source",)

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        now = time.time_ns()
        raw = []
        for path, data in files.items():
            if not isinstance(path, str) or not isinstance(data, (str, bytes)):
                raise TypeError("files of a Tree must be a dict of str to str or bytes")
            raw.append((path, data.encode() if isinstance(data, str) else data, now))
        self._source = _eryx.Source.of_tree(raw)


class Mount:
    """A directory or file that programs see.

    source: a path of this machine, an Archive or a Tree.
    mode: "ro" read-only, "rw" read-write, or "overlay": programs may change everything, but what they write
    stays in the sandbox.
    max_bytes, max_files: by how much programs may make it larger ("rw"; default 1 GiB, 100,000).

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "in.txt").write_text("hello")
    >>> eryx.run("open('/data/in.txt').read()", mounts={"/data": folder}).value
    'hello'
    >>> eryx.run("open('/data/out.txt', 'w').write('x')", mounts={"/data": eryx.Mount(folder, "rw")}).value
    1
    >>> (folder / "out.txt").read_text()
    'x'
    """

    __slots__ = ("mode", "_source", "_max_bytes", "_max_files")

    def __init__(self, source: str | os.PathLike[str] | Archive | Tree,
                 mode: Literal["ro", "rw", "overlay"] = "ro", *, max_bytes: int | None = None,
                 max_files: int | None = None) -> None:
        if mode not in _MODES:
            raise ArgumentError(f"mode must be \"ro\", \"rw\" or \"overlay\", not {mode!r}")
        self.mode = mode
        self._source = (source._source if isinstance(source, (Archive, Tree))
                        else _eryx.Source.of_path(os.fspath(source), False))
        self._max_bytes = max_bytes
        self._max_files = max_files

    def _raw(self, target: str) -> tuple[Any, ...]:
        return target, self._source, _MODES[self.mode], self._max_bytes, self._max_files


Mounts = Mapping[str, Union[Mount, Archive, Tree, str, "os.PathLike[str]"]]
"""By absolute path in the sandbox; what is no Mount is shown read-only."""


def raw_mounts(mounts: Mounts) -> list[tuple[Any, ...]]:
    """What the extension takes."""
    if not isinstance(mounts, Mapping):
        raise TypeError(f"mounts must be a dict, not {type(mounts).__name__}")
    raw = []
    for target, mount in mounts.items():
        if not isinstance(target, str):
            raise TypeError(f"mounts: paths must be str, not {type(target).__name__}")
        raw.append((mount if isinstance(mount, Mount) else Mount(mount))._raw(target))
    return raw


Package = Union[Archive, str, "os.PathLike[str]"]
PACKAGES = "/packages"


def raw_packages(packages: Sequence[Package]) -> tuple[list[tuple[Any, ...]], str]:
    """Mounts of packages, and the code that makes them importable."""
    if isinstance(packages, (str, os.PathLike)):
        raise TypeError(f"packages must be a list: [{packages!r}]")
    raw, folders = [], []
    for number, package in enumerate(packages):
        if not isinstance(package, Archive) and not os.path.isdir(package):
            package = Archive(package)
        path = package.path if isinstance(package, Archive) else os.fspath(package)
        stem = os.path.basename(os.path.normpath(path)).partition("-")[0]
        folders.append(f"{PACKAGES}/{number}-{stem}")
        raw.append(Mount(package)._raw(folders[-1]))
    return raw, f"__import__('sys').path.extend({folders!r})"


def net_event(kind: int, value: tuple[Any, ...]) -> NetEvent:
    """From what the extension reports."""
    allowed, socket, name, address, reason, bytes_in, bytes_out = value
    return NetEvent(_NET_KINDS[kind], allowed, socket, name.decode("utf-8", "replace"),
                    address.decode("utf-8", "replace"), reason.decode("utf-8", "replace"), bytes_in,
                    bytes_out)
