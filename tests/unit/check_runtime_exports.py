#!/usr/bin/env python3
"""Checks that the runtime library answers what the other libraries import.

    check_runtime_exports.py BUILD_FOLDER | RUNTIME LIBRARY...

Each LIBRARY is a dylib, plain or zstd-compressed; a build folder has all of them. Every import of
a LIBRARY from a `wasi:` module must be an export `module#name` of RUNTIME, and every function
imported from `env` an export of RUNTIME or of another LIBRARY, both with the same type.
RUNTIME itself may import from the host only what docs/architecture.md, section 5, lists."""
import subprocess
import sys
from pathlib import Path

# Not defined anywhere, and declared weak by the libraries that import them.
WEAK = {"__main_argc_argv", "__cxa_thread_atexit_impl"}

HOST = {
    "$root": {
        "[async-lower]invoke", "list-callbacks", "report-trace", "[waitable-set-new]",
        "[waitable-set-wait]", "[waitable-set-poll]", "[waitable-set-drop]", "[waitable-join]",
        "[subtask-drop]", "[subtask-cancel]"},
    "[export]$root": {"[task-return]execute"},
    "wasi:clocks/monotonic-clock@0.3.0": {"[async-lower]wait-for"},
    "wasi:clocks/monotonic-clock@0.2.0": {"now"},
    "wasi:clocks/wall-clock@0.2.0": {"now"},
    "wasi:random/random@0.2.0": {"get-random-u64"},
    "wasi:cli/stdin@0.2.0": {"get-stdin"},
    "wasi:cli/stdout@0.2.0": {"get-stdout"},
    "wasi:cli/stderr@0.2.0": {"get-stderr"},
    "wasi:io/streams@0.2.0": {
        "[method]output-stream.blocking-write-and-flush", "[method]input-stream.blocking-read"},
    "wasi:io/error@0.2.0": {"[resource-drop]error"},
    "wasi:cli/exit@0.2.0": {"exit"},
    # Offered by liberyx, answered with -1 in the component.
    "eryx": {
        "library-find", "library-prepare", "library-prepared", "library-load", "library-symbol",
        "mount-list", "mount-stat", "mount-open", "mount-close", "mount-status", "mount-read",
        "mount-write", "mount-resize", "mount-sync", "mount-entries", "mount-readlink",
        "mount-set-times", "mount-change",
        "net-open", "net-close", "net-bind", "net-connect", "net-connected", "net-listen", "net-accept",
        "net-address", "net-send", "net-receive", "net-send-to", "net-receive-from", "net-shut",
        "net-available", "net-get-option", "net-set-option", "net-resolve", "net-resolved", "net-wait",
        "net-reason",
        "sample-begin", "sample", "code-find", "code-keep",
        "tls-authorities", "tls-context", "tls-open", "tls-drop", "tls-handshake", "tls-write",
        "tls-read", "tls-flush", "tls-shutdown", "tls-feed", "tls-drain", "tls-count", "tls-text"},
    # Not of the host: the function of the next library, for one that replaces it.
    "next": {"fstatat", "recvfrom", "sendto", "stat", "strerror", "uname"},
}
FUNCTION, TABLE, MEMORY, GLOBAL, TAG = range(5)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def number(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def take(self, length):
        self.at += length
        return self.data[self.at - length:self.at]

    def name(self):
        return self.take(self.number()).decode()

    def limits(self):
        flags = self.byte()
        self.number()
        if flags & 1:
            self.number()


class Library:
    """Function imports and exports of a wasm module with their types."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        if data[:4] == b"\x28\xb5\x2f\xfd":
            data = subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout
        if data[:8] != b"\0asm\1\0\0\0":
            sys.exit(f"{path}: not a wasm module")
        self.path, self.types, self.imports, self.functions, self.exports = path, [], [], [], {}
        reader = Reader(data)
        reader.at = 8
        while reader.at < len(data):
            section = reader.byte()
            body = Reader(reader.take(reader.number()))
            handler = {1: self.read_types, 2: self.read_imports, 3: self.read_functions,
                       7: self.read_exports}.get(section)
            if handler:
                handler(body)

    def read_types(self, body):
        for _ in range(body.number()):
            if body.byte() != 0x60:
                sys.exit(f"{self.path}: a type that is not a function")
            self.types.append((body.take(body.number()).hex(), body.take(body.number()).hex()))

    def read_imports(self, body):
        for _ in range(body.number()):
            module, name, kind = body.name(), body.name(), body.byte()
            if kind == FUNCTION:
                function = self.types[body.number()]
                self.imports.append((module, name, function))
                self.functions.append(function)
            elif kind == TABLE:
                body.byte()
                body.limits()
            elif kind == MEMORY:
                body.limits()
            elif kind == GLOBAL:
                body.take(2)
            elif kind == TAG:
                body.byte()
                body.number()

    def read_functions(self, body):
        for _ in range(body.number()):
            self.functions.append(self.types[body.number()])

    def read_exports(self, body):
        for _ in range(body.number()):
            name, kind, index = body.name(), body.byte(), body.number()
            if kind == FUNCTION:
                self.exports[name] = self.functions[index]


def built(folder):
    """The runtime library of a build folder, and what it is linked with."""
    runtime = folder / "guest" / "runtime.so"
    others = sorted(folder.glob("libs/*.so.zst"))
    if not runtime.exists() or not others:
        sys.exit(f"{folder}: no runtime library there; `make` builds it")
    return [runtime, *others]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    paths = built(Path(sys.argv[1])) if len(sys.argv) == 2 else sys.argv[1:]
    runtime, *others = [Library(path) for path in paths]
    defined = {}
    for library in [runtime, *others]:
        for name, function in library.exports.items():
            defined.setdefault(name, function)
    problems, checked = [], 0
    for library in others:
        for module, name, function in library.imports:
            if module == "env" and name in WEAK and name not in defined:
                continue
            symbol = name if module == "env" else f"{module}#{name}"
            found = defined.get(symbol) if module == "env" else runtime.exports.get(symbol)
            checked += 1
            if found is None:
                problems.append(f"{library.path}: {symbol} is defined nowhere")
            elif found != function:
                problems.append(f"{library.path}: {symbol} is imported as {function}, "
                                f"defined as {found}")
    for module, name, function in runtime.imports:
        if module == "env":
            if defined.get(name) != function:
                problems.append(f"{runtime.path}: {name} is imported as {function}, "
                                f"defined as {defined.get(name)}")
        elif name not in HOST.get(module, ()):
            problems.append(f"{runtime.path}: imports {module} {name}, which no host provides")
    print("\n".join(problems) or f"{checked} imports of {len(others)} libraries are answered")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
