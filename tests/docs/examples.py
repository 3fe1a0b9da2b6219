"""Checks the folders of examples/: each has a README, and the data is what make_data.py makes. Programs and the
Kubernetes manifest have suites of their own."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
TIMEOUT = 60


def check_readmes():
    for folder in [EXAMPLES, *sorted(path for path in EXAMPLES.iterdir() if path.is_dir())]:
        if folder.name == "__pycache__":
            continue
        readme = folder / "README.md"
        text = readme.read_text() if readme.exists() else ""
        missing = [path.name for path in sorted(folder.iterdir()) if path.suffix in (".py", ".c", ".yaml")
                   and path.name not in text]
        if not text:
            yield f"{folder.relative_to(ROOT)} has no README.md"
        elif missing:
            yield f"{readme.relative_to(ROOT)} does not tell of {', '.join(missing)}"


def check_data():
    with tempfile.TemporaryDirectory(prefix="eryx-data-") as folder:
        shutil.copy(EXAMPLES / "data" / "make_data.py", folder)
        subprocess.run([sys.executable, "-B", "make_data.py"], cwd=folder, check=True, timeout=TIMEOUT)
        for name in ("orders.csv", "access.log"):
            if Path(folder, name).read_bytes() != (EXAMPLES / "data" / name).read_bytes():
                yield f"examples/data/{name} is not what make_data.py makes"


def check():
    """(good checks, failures)."""
    good, failures = 0, []
    for found in (list(check_readmes()), list(check_data())):
        good += not found
        failures += found
    return good, failures
