"""What `eryx run --profile` costs: programs of bench/programs with it and without, by turns, beside the same of
native Python under cProfile (its standard library has no profiler that samples). Processor time of whole processes,
the least of some rounds: what else the machine does counts less than in wall time."""
import os
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = ["calls", "exceptions", "generators", "int_loop", "objects"]


class Failed(Exception):
    pass


def processor_seconds(command):
    process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{' '.join(map(str, command))}: status {process.returncode}")
    return used.ru_utime + used.ru_stime


def ratios(build, native, quick):
    """program -> {"eryx": profiled / not, "cProfile": the same natively}."""
    harness, found = (HERE / "harness.py").read_text(), {}
    with tempfile.TemporaryDirectory() as folder:
        eryx, python = [build / "eryx", "run", "--timeout", "600s"], [*native.command, "-I"]
        worlds = [eryx, [*eryx, "--profile", Path(folder, "out.html")],
                  python, [*python, "-m", "cProfile", "-o", Path(folder, "out.prof")]]
        for name in PROGRAMS:
            script = Path(folder, f"{name}.py")
            script.write_text((HERE / "programs" / script.name).read_text() + "\n\n" + harness)
            rounds = [[processor_seconds([*world, script, name, "3"]) for world in worlds]
                      for _ in range(1 if quick else 8)]
            plain, profiled, peer, traced = map(min, zip(*rounds))
            found[name] = {"eryx": profiled / plain, "cProfile": traced / peer}
    return found
