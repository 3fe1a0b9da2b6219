"""Native extensions: how long loading one takes, and a call of its functions beside native Python.

Loading is measured in whole processes, `first` with nothing compiled yet, `cached` with the code on disk:
the largest module that `make test-extensions` has built (build/extensions), otherwise that of
the tests. The calls are those of tests/extension/spam.c, which is compiled for native Python, too.
"""
import json
import os
import statistics
import subprocess
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUFFIX = ".cpython-314-wasm32-wasi.so"

LOAD = """
import importlib.machinery, importlib.util, time
loader = importlib.machinery.ExtensionFileLoader({name!r}, {path!r})
spec = importlib.util.spec_from_loader({name!r}, loader)
start = time.perf_counter()
loader.create_module(spec)
print((time.perf_counter() - start) * 1e3)
"""

# The least time of several rounds, without that of the loop itself.
CALL = """
import time
def measure(call, rounds=20, calls=200000):
    best = empty = 1e9
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(calls):
            pass
        middle = time.perf_counter()
        for _ in range(calls):
            call()
        end = time.perf_counter()
        empty = min(empty, middle - start)
        best = min(best, end - middle)
    return (best - empty) / calls * 1e9
import spam
print(measure(spam.count))
"""


class Failed(Exception):
    pass


def output_of(command, program, environment):
    done = subprocess.run(command, input=program, text=True, capture_output=True,
                          env={**os.environ, **environment})
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}: {done.stderr[-400:]}")
    return float(done.stdout)


def build(eryx, folder):
    """spam for the sandbox and for native Python."""
    source = ROOT / "tests" / "extension" / "spam.c"
    commands = [[eryx, "sdk", "cc", "-shared", source, "-o", folder / f"spam{SUFFIX}"],
                ["cc", "-O2", "-shared", "-fPIC", f"-I{sysconfig.get_paths()['include']}", source,
                 "-lm", "-o", folder / "spam.abi3.so"]]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{' '.join(map(str, command))}: {done.stderr[-400:]}")


def largest_module(folder):
    built = [path for path in (ROOT / "build" / "extensions").rglob(f"*{SUFFIX}")]
    return max(built, key=lambda path: path.stat().st_size, default=folder / f"spam{SUFFIX}")


def load_times(eryx, folder, count):
    module = largest_module(folder)
    name = module.name.removesuffix(SUFFIX)
    program = LOAD.format(name=name, path=f"/module/{module.name}")
    command = [eryx, "run", "--mount", f"{module.parent}:/module", "-"]
    first, cached = [], []
    for number in range(count):
        environment = {"XDG_CACHE_HOME": str(folder / f"cache{number}")}
        first.append(output_of(command, program, environment))
        cached += [output_of(command, program, environment) for _ in range(5)]
    return {"first": statistics.median(first), "cached": statistics.median(cached),
            "cached_max": max(cached), "module": name, "bytes": module.stat().st_size}


def measure(eryx, native, quick):
    """The keys ext_load_ms and ext_call_ns. native: the command of native Python."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(eryx, folder)
        loads = load_times(eryx, folder, 1 if quick else 5)
        call = output_of([eryx, "run", "--mount", f"{folder}:/module", "-"],
                         f"import sys; sys.path.insert(0, '/module')\n{CALL}",
                         {"XDG_CACHE_HOME": str(folder / "cache0")})
        peer = output_of([*native, "-"], CALL, {"PYTHONPATH": str(folder)})
    return {"ext_load_ms": loads, "ext_call_ns": {"value": call, "native": peer}}


if __name__ == "__main__":
    import sys
    print(json.dumps(measure(ROOT / "build" / "eryx", [sys.executable], True), indent=1))
