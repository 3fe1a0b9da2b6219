#!/usr/bin/env python3
"""Runs the benchmarks of pyperformance in the sandbox and natively, and prints a table.

    bench/pyperformance.py [--build DIR] [--rounds N] [--json FILE] [BENCHMARK ...]

They come from PyPI (requirements.txt), are kept under DIR/bench and never committed. Each becomes one
script: pyperf's stand-in (pyperf_stub.py), the benchmark and its files as literals, which the script
writes to a temporary folder of the world it runs in. The same script runs in both worlds.
"""
import argparse
import ast
import base64
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import native  # noqa: E402
import worlds  # noqa: E402

HERE = Path(__file__).resolve().parent
MOST_DATA = 16 << 20

# What can't run here for a reason that is known beforehand; all else is tried.
EXCLUDED = {
    "2to3": "starts processes",
    "asyncio_tcp": "needs network sockets",
    "asyncio_websockets": "needs network sockets",
    "concurrent_imap": "needs threads and processes",
    "hg_startup": "starts processes",
    "python_startup": "starts processes",
    "tornado_http": "needs network sockets",
}

SCRIPT = '''\
import base64, os, sys, tempfile, types, zlib
_folder = tempfile.mkdtemp()
for _name, _data in {files!r}.items():
    _path = os.path.join(_folder, *_name.split("/"))
    os.makedirs(os.path.dirname(_path), exist_ok=True)
    with open(_path, "wb") as _file:
        _file.write(zlib.decompress(base64.b85decode(_data)))
_stub = sys.modules["pyperf"] = types.ModuleType("pyperf")
exec(compile({stub!r}, "pyperf.py", "exec"), _stub.__dict__)
sys.path.insert(0, _folder)
sys.argv = [os.path.join(_folder, "run_benchmark.py"), *{arguments!r}]
__file__ = sys.argv[0]
with open(__file__, encoding="utf-8") as _file:
    _code = compile(_file.read(), __file__, "exec")
exec(_code)
'''


def fetch(build):
    """The folder data-files/benchmarks of the pinned pyperformance."""
    target = build / "bench" / "pyperformance"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as temp:
            done = subprocess.run(
                [sys.executable, "-m", "pip", "download", "--quiet",
                 "--disable-pip-version-check", "--require-hashes", "--no-deps", "-d", temp,
                 "-r", HERE / "requirements.txt"], stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                sys.exit(f"bench: cannot download pyperformance: {done.stdout.strip()}\n"
                         "bench: is the package index reachable? (pip download pyperformance)")
            unpacked = Path(temp) / "unpacked"
            with zipfile.ZipFile(next(Path(temp).glob("*.whl"))) as wheel:
                wheel.extractall(unpacked)
            unpacked.rename(target)
    return target / "pyperformance" / "data-files" / "benchmarks"


def project_list(text, key):
    """A list of strings of pyproject.toml, [] if it isn't there."""
    found = re.search(rf"^{key}\s*=\s*(\[[^\]]*\])", text, re.M)
    return ast.literal_eval(re.sub(r"#.*", "", found.group(1))) if found else []


class Benchmark:
    def __init__(self, folder):
        self.name, self.folder = folder.name[3:], folder
        project = (folder / "pyproject.toml").read_text()
        self.arguments = project_list(project, "extra_opts")
        needed = [re.match(r"[\w.-]+", name).group(0) for name in project_list(project, "dependencies")]
        needed += self.pinned()
        self.packages = sorted({name.lower() for name in needed} - {"pyperf"})

    def pinned(self):
        path = self.folder / "requirements.txt"
        return re.findall(r"^\w[\w.-]*", path.read_text(), re.M) if path.exists() else []

    def why_not(self):
        if self.name in EXCLUDED:
            return EXCLUDED[self.name]
        return f"needs the package {', '.join(self.packages)}" if self.packages else ""

    def script(self):
        files = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.suffix not in (".toml", ".pyc"):
                data = base64.b85encode(zlib.compress(path.read_bytes(), 9)).decode()
                files[path.relative_to(self.folder).as_posix()] = data
        if sum(map(len, files.values())) > MOST_DATA:
            raise worlds.Failed("its files are too large for a script")
        return SCRIPT.format(files=files, stub=(HERE / "pyperf_stub.py").read_text(),
                             arguments=self.arguments)

    def write(self, folder):
        path = Path(folder) / f"{self.name}.py"
        path.write_text(self.script())
        return path


def benchmarks(build, names=()):
    folder = fetch(build)
    known = {path.name[3:]: path for path in sorted(folder.glob("bm_*"))}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"bench: pyperformance has no {', '.join(unknown)}; it has {', '.join(known)}")
    return [Benchmark(known[name]) for name in (names or known)]


def run_one(benchmark, both, rounds, folder):
    """A row of the table: name, seconds in each world and ratio, or why not."""
    row = {"name": benchmark.name}
    reason = benchmark.why_not()
    try:
        if reason:
            raise worlds.Failed(reason)
        best = worlds.compare(both, benchmark.write(folder), least=rounds, most=rounds)
        row["sandbox_s"], row["native_s"], row["ratio"] = \
            worlds.seconds_and_ratio(best, "sandbox", "native")
    except worlds.Failed as error:
        row["excluded" if reason else "failed"] = str(error)
    return row


def print_row(row):
    if "ratio" in row:
        print(f"  {row['name']:26}{row['sandbox_s'] * 1e3:12.3f}{row['native_s'] * 1e3:12.3f}"
              f"{row['ratio']:9.2f}", flush=True)
    else:
        print(f"  {row['name']:26}{row.get('failed') or row['excluded']}", flush=True)


def run_all(build, peer, rounds, names=(), seconds=math.inf):
    """Starts no further benchmark when the seconds are spent."""
    both = [worlds.native_world(peer), worlds.sandbox_world(build)]
    print(f"  {'pyperformance':26}{'sandbox ms':>12}{'native ms':>12}{'ratio':>9}")
    rows, left_out = [], []
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        for benchmark in benchmarks(build, names):
            if time.monotonic() > end and not benchmark.why_not():
                left_out.append(benchmark.name)
                continue
            rows.append(run_one(benchmark, both, rounds, folder))
            print_row(rows[-1])
    ran = [row["ratio"] for row in rows if "ratio" in row]
    failed = [row["name"] for row in rows if "failed" in row]
    if ran:
        print(f"  {len(ran)} ran, geometric mean of the ratios {worlds.geometric_mean(ran):.2f}; "
              f"failed: {', '.join(failed) or 'none'}")
    if left_out:
        print(f"  left out, {seconds:.0f} s were spent: {', '.join(left_out)}")
    return {"ran": len(ran), "failed": failed, "left_out": left_out, "programs": rows,
            "value": worlds.geometric_mean(ran) if ran else None}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, default=HERE.parent / "build")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("names", nargs="*", metavar="BENCHMARK")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    peer = native.find(build)
    print(f"native: {peer}")
    result = run_all(build, peer, arguments.rounds, arguments.names)
    if arguments.json:
        temp = arguments.json.with_name(f"{arguments.json.name}.{os.getpid()}")
        temp.write_text(json.dumps({**result, "native": str(peer)}, indent=1) + "\n")
        os.replace(temp, arguments.json)
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
