"""CPython's own tests: what `make test-cpython` last found out. They take too long to be run here, unless
asked for: `bench/run --only cpython` runs them when there is no result.

The value is the share of files that pass, of those that need no threads, processes and network, with nothing else set
aside. Tests of the runtime's own version judge it (`make test-cpython CPYTHON_TESTS=DIR`), if their result is there; else
those of Debian, of a later version, where a file with a test of something newer counts as failed."""
import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("files", "passed", "failed", "skipped", "crashed")
MORE = ("failed_needing_threads_processes_network", "failed_only_in_tests_of_other_versions",
        "passed_percent", "passed_percent_without_tests_of_other_versions",
        "tests_passed", "tests_skipped", "tests_failed")


def read(path):
    found = json.loads(path.read_text())
    return {**{key: found["summary"][key] for key in (*KEYS, *MORE)}, "versions": found["versions"]}


def release(version):
    """3.14.0rc1 -> (3, 14, 0)"""
    return [int(part) for part in re.match(r"(\d+)\.(\d+)\.(\d+)", version).groups()]


def is_nearer(versions, others):
    """Tests of the runtime's release (or a candidate for it) say more about it than those of another."""
    wanted = release(versions["runtime"])
    return release(versions["tests"]) == wanted and (release(others["tests"]) != wanted or
                                                     versions["tests"] == versions["runtime"])


def result(eryx, run):
    """(figures, ''), or (None, why there are none)."""
    folder = ROOT / "build" / "cpython"
    path = folder / "results.json"
    if run and not path.exists():
        subprocess.run([ROOT / "tests" / "cpython" / "run", "--eryx", eryx], check=False,
                       stdout=subprocess.DEVNULL)
    try:
        latest = figures = read(path)
        for path in sorted(folder.glob("results-*.json")):
            other = read(path)
            if is_nearer(other["versions"], figures["versions"]):
                figures = other
    except FileNotFoundError:
        return None, "no result; `make test-cpython` makes it (a quarter of an hour)"
    except (ValueError, KeyError, AttributeError) as error:
        return None, f"{path} is of no use ({error!r}): run `make test-cpython` again"
    value = {"value": figures["passed_percent"], **figures}
    if figures is not latest:
        value["with_tests_of_" + latest["versions"]["tests"]] = latest
    return value, ""
