"""Runs one script in several worlds (native Python, sandboxes) and compares their times.

A script reports with lines `RESULT {"name": ..., "seconds": ..., "check": ...}`. The worlds
take turns, round by round until no time gets better, and the best time of each counts: what else the
machine does only ever adds.
"""
import json
import math
import os
import subprocess
from pathlib import Path

SCRIPT_SECONDS = 600
SETTLED = 0.01


class Failed(Exception):
    """The script did not do its work there; the message is one line."""


class World:
    def __init__(self, name, command, environment=None):
        self.name, self.command = name, command
        self.environment = environment or {}

    def run(self, script, arguments=()):
        """name -> result of one run."""
        command = [*self.command, str(script), *arguments]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, errors="replace",
                                  timeout=SCRIPT_SECONDS, env={**os.environ, **self.environment})
        except subprocess.TimeoutExpired:
            raise Failed(f"not done after {SCRIPT_SECONDS} s") from None
        results = [json.loads(line[7:]) for line in done.stdout.splitlines()
                   if line.startswith("RESULT ")]
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise Failed(lines[-1].strip() if lines else f"exit status {done.returncode}")
        if not results:
            raise Failed("it reported nothing")
        return {result["name"]: result for result in results}


def native_world(native, name="native"):
    return World(name, [*native.command, "-I"])


def sandbox_world(build, name="sandbox", runtime=None):
    environment = {"ERYX_RUNTIME": str(Path(runtime).resolve())} if runtime else {}
    command = [str(build / "eryx"), "run", "--timeout", f"{SCRIPT_SECONDS}s", "--memory", "2GiB"]
    return World(name, command, environment)


def run_round(worlds, script, arguments, best, checks):
    """Runs the script once in each world. True if a best time got better by more than SETTLED."""
    improved = False
    for world in worlds:
        try:
            results = world.run(script, arguments)
        except Failed as error:
            raise Failed(f"{world.name}: {error}") from None
        for name, result in results.items():
            expected = checks.setdefault(name, result.get("check"))
            if result.get("check") != expected:
                raise Failed(f"{world.name}: {name} gave {result.get('check')}, not {expected}")
            known = best[world.name].get(name, math.inf)
            improved = improved or result["seconds"] < known * (1 - SETTLED)
            best[world.name][name] = min(known, result["seconds"])
    return improved


def compare(worlds, script, arguments=(), least=1, most=1, once=()):
    """world name -> {result name: best seconds}. Raises Failed if any fails or they disagree.

    Runs at least `least` rounds, then until a round brings no better time, at most `most`. Worlds
    named in `once` take part in the first.
    """
    best = {world.name: {} for world in worlds}
    checks = {}
    for rounds in range(1, most + 1):
        improved = run_round(worlds, script, arguments, best, checks)
        if rounds >= least and not improved:
            break
        worlds = [world for world in worlds if world.name not in once]
    return best


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def seconds_and_ratio(best, world, other):
    """(seconds of world, of other, ratio): of a script that reports several, geometric means."""
    names = best[world].keys() & best[other].keys()
    mine = geometric_mean(best[world][name] for name in names)
    theirs = geometric_mean(best[other][name] for name in names)
    return mine, theirs, mine / theirs
