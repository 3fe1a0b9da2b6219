"""clang-tidy over the tree, file by file: what was clean is not looked at again.

A file's key is the content of all it is made of (the source, the headers of this repository it
reads, its command, .clang-tidy, the program); a stamp under build/lint says that it was clean.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMPS = ROOT / "build" / "lint"
TRIED_ONLY = {"tests", "fuzz", "bench", "examples"}  # left out
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.M)
# As toolchain/pipeline.py compiles what runs in the sandbox; headers of libc are zig's.
ZIG = "build/deps/zig/lib"
GUEST_FLAGS = ["-target", "wasm32-wasi", "-std=gnu11", "-O2", "-Wall", "-Wextra",
               "-Iruntime", "-Ibuild/gen"]
GUEST_SYSTEM = [f"{ZIG}/include", f"{ZIG}/libc/include/wasm-wasi-musl",
                f"{ZIG}/libc/include/generic-musl"]


class Unit:
    """A source, where it is compiled and how."""

    def __init__(self, source, folder, flags):
        self.source, self.folder, self.flags = source, folder, flags
        folders = [flag[2:] for flag in flags if flag.startswith("-I")]
        self.include = [ROOT / folder for folder in folders]

    def command(self, program):
        return [program, "--quiet", self.source, "--", *self.flags]

    def key(self, program, cache):
        """Hash of all the answer depends on. Headers of the system change with the pinned program or
        the machine only."""
        total = hashlib.sha256(json.dumps([str(program.stat().st_size), self.flags]).encode())
        total.update((ROOT / ".clang-tidy").read_bytes())
        seen, pending = {self.source}, [self.source]
        while pending:
            path = pending.pop()
            content, names = read(path, cache)
            total.update(path.as_posix().encode() + b"\0" + content)
            for name in names:
                for folder in (path.parent, *self.include):
                    found = Path(os.path.normpath(folder / name))
                    if found not in seen and found.is_file():
                        seen.add(found)
                        pending.append(found)
        return total.hexdigest()


def read(path, cache):
    """Digest of a file, and the names it includes."""
    if path not in cache:
        data = path.read_bytes()
        cache[path] = hashlib.sha256(data).digest(), [n.decode() for n in INCLUDE.findall(data)]
    return cache[path]


def native_units(database):
    """One for each source: where it is compiled several times, the first command stands for all."""
    units = {}
    for entry in json.loads(database.read_text()):
        source = Path(entry["file"])
        if not source.is_relative_to(ROOT) or source in units:
            continue
        top = source.relative_to(ROOT).parts[0]
        if top != "build" and top not in TRIED_ONLY:
            words = shlex.split(entry["command"])[1:]
            at = words.index("-o")
            flags = [word for word in words[:at] + words[at + 2:] if word not in ("-c", str(source))]
            units[source] = Unit(source, Path(entry["directory"]), flags)
    return units


def guest_units(known):
    """What is compiled for the sandbox only."""
    headers = sorted((ROOT / "build" / "cache").glob("headers-*/include"),
                     key=lambda path: path.stat().st_mtime)
    if not headers:
        sys.exit("lint: no build/cache/headers-*: run `make` first")
    system = [part for folder in (headers[-1], *(ROOT / name for name in GUEST_SYSTEM))
              for part in ("-isystem", str(folder))]
    for source in sorted((ROOT / "runtime").rglob("*.c")):
        if source not in known:
            yield Unit(source, ROOT, [*GUEST_FLAGS, *system])


def tidy(unit, program, cache):
    """The problems of a file as text, "" if none."""
    stamp = STAMPS / unit.key(program, cache)
    if stamp.exists():
        return "", False
    done = subprocess.run(unit.command(program), cwd=unit.folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode == 0:
        stamp.touch()
        return "", True
    return done.stdout or f"{unit.source}: clang-tidy ended with {done.returncode}\n", True


def run(build, program, jobs):
    """clang-tidy of all that is not known to be clean; the number of files with problems."""
    database = ROOT / build / "compile_commands.json"
    if not database.exists():
        sys.exit(f"lint: no {database}: run `make` first")
    STAMPS.mkdir(parents=True, exist_ok=True)
    native = native_units(database)
    units = [*native.values(), *guest_units(native)]
    cache, bad, looked = {}, 0, 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        for text, fresh in pool.map(lambda unit: tidy(unit, program, cache), units):
            looked += fresh
            if text:
                bad += 1
                print(text, end="", flush=True)
    print(f"lint: clang-tidy: {len(units)} files, {looked} of them looked at, {bad} with problems")
    return bad
