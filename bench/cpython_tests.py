"""CPython's own tests: what `make test-cpython` last found out. They take too long to be run here, unless
asked for: `bench/run --only cpython` runs them when there is no result."""
import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("files", "passed", "failed", "skipped", "crashed")
MORE = ("failed_needing_threads_processes_network", "failed_only_in_tests_of_later_versions",
        "passed_percent", "passed_percent_without_tests_of_later_versions",
        "tests_passed", "tests_skipped", "tests_failed")


def result(eryx, run):
    """(figures, ''), or (None, why there are none)."""
    path = ROOT / "build" / "cpython" / "results.json"
    if run and not path.exists():
        subprocess.run([ROOT / "tests" / "cpython" / "run", "--eryx", eryx], check=False,
                       stdout=subprocess.DEVNULL)
    try:
        found = json.loads(path.read_text())
        summary = found["summary"]
        figures = {key: summary[key] for key in (*KEYS, *MORE)}
    except FileNotFoundError:
        return None, "no result; `make test-cpython` makes it (half an hour)"
    except (ValueError, KeyError) as error:
        return None, f"{path} is of no use ({error!r}): run `make test-cpython` again"
    return {"value": figures["passed_percent_without_tests_of_later_versions"], **figures, "versions": found["versions"]}, ""
