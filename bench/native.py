"""The native CPython that the sandbox is compared with.

The best peer is a native 3.14 (bench/fetch_python314), kept in build/bench/python3.14. Where
that can't be had it is the python3 of the machine, and `note` says so. $ERYX_BENCH_PYTHON names
another one.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def unpacked_command(root):
    """How to start the interpreter of an unpacked tree, by its own loader."""
    paths = json.loads((root / "command.json").read_text())
    libraries = ":".join(str(root / library) for library in paths["libraries"])
    python = str(root / paths["python"])
    return [str(root / paths["loader"]), "--library-path", libraries, "--argv0", python, python]


class Native:
    def __init__(self, command, note=""):
        self.command, self.note = command, note
        probe = ("import sys; print(sys.version.split()[0]); "
                 "print('[' + sys.version.split('[')[-1])")
        lines = subprocess.run([*command, "-I", "-c", probe], check=True, text=True,
                               capture_output=True).stdout.splitlines()
        self.version, self.compiler = lines[0], lines[1]

    def __str__(self):
        text = f"CPython {self.version} {self.compiler}"
        return f"{text} ({self.note})" if self.note else text


def of_machine():
    """The python3 that runs this."""
    return Native([sys.executable], "python3 of this machine")


def find(build):
    chosen = os.environ.get("ERYX_BENCH_PYTHON")
    if chosen:
        return Native([chosen], "of $ERYX_BENCH_PYTHON")
    root = build / "bench" / "python3.14"
    if not (root / "command.json").exists():
        done = subprocess.run([sys.executable, HERE / "fetch_python314", root],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["failed"])[0]
            return Native([sys.executable], f"python3 of this machine; no native 3.14: {reason}")
    return Native(unpacked_command(root), "native 3.14 of Debian, unpacked")
