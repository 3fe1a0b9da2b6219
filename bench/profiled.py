"""What `eryx run --profile` costs: programs of bench/programs with it and without, by turns, beside the same of
native Python under cProfile (its standard library has no profiler that samples)."""
import tempfile
from pathlib import Path

import worlds

HERE = Path(__file__).resolve().parent
PROGRAMS = ["calls", "exceptions", "generators", "int_loop", "objects"]


def ratios(build, native, quick):
    """program -> {"eryx": profiled / not, "cProfile": the same natively}. Raises worlds.Failed."""
    harness, found = (HERE / "harness.py").read_text(), {}
    with tempfile.TemporaryDirectory() as folder:
        plain, profiled = worlds.sandbox_world(build), worlds.sandbox_world(build, "profiled")
        profiled.command += ["--profile", str(Path(folder, "out.html"))]
        peer, traced = worlds.native_world(native), worlds.native_world(native, "cProfile")
        traced.command += ["-m", "cProfile", "-o", str(Path(folder, "out.prof"))]
        for source in (HERE / "programs" / f"{name}.py" for name in PROGRAMS):
            script = Path(folder, source.name)
            script.write_text(source.read_text() + "\n\n" + harness)
            best = worlds.compare([plain, profiled, peer, traced], script, (source.stem, "1" if quick else "3"),
                                  *((1, 1) if quick else (6, 12)), once=("native", "cProfile"))
            found[source.stem] = {"eryx": worlds.seconds_and_ratio(best, "profiled", "sandbox")[2],
                                  "cProfile": worlds.seconds_and_ratio(best, "cProfile", "native")[2]}
    return found
