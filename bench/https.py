"""HTTPS from the sandbox beside the same program in native Python, against nginx on loopback."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "https_get.py"
sys.path.insert(0, str(HERE.parent / "tests" / "tls"))
import servers  # noqa: E402


class Failed(Exception):
    pass


def missing():
    """What is not installed, as a reason to leave the figures out; "" if all is there."""
    tools = [tool for tool in ("nginx", "openssl") if not shutil.which(tool)]
    return f"not installed: {', '.join(tools)}" if tools else ""


def microseconds(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command[:4]))}: {done.stderr.strip()[-500:]}")
    return float(done.stdout)


def measure(eryx, python, count, rounds):
    """(sandbox, native) in microseconds: the best medians of runs by turns."""
    mine, native = [], []
    with tempfile.TemporaryDirectory(prefix="eryx-bench-") as folder, \
            servers.Setup(Path(folder)) as setup:
        port, authorities = setup.ports["https"], setup.folder / "ca.pem"
        for _ in range(rounds):
            mine.append(microseconds([
                eryx, "run", "--tls-ca", authorities, "--allow-net", f"127.0.0.1:{port}", PROGRAM,
                port, count]))
            native.append(microseconds([*python, "-I", PROGRAM, port, count, authorities]))
    return min(mine), min(native)
