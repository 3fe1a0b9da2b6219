"""Requests and downloads of programs in the sandbox beside the same in native Python, with nginx on
loopback."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
GET, DOWNLOAD = HERE / "http_get.py", HERE / "http_download.py"
MANY_SOCKETS = HERE / "many_sockets.py"
DOWNLOAD_BYTES = 100 << 20
DOWNLOADS = 3  # in one process; the best counts
sys.path.insert(0, str(HERE.parent / "tests" / "tls"))
import servers  # noqa: E402


class Failed(Exception):
    pass


def missing():
    """What is not installed, as a reason to leave the figures out; "" if all is there."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    tools = [tool for tool in ("nginx", "openssl") if not shutil.which(tool)]
    return f"not installed: {', '.join(tools)}" if tools else ""


def microseconds(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command[:4]))}: {done.stderr.strip()[-500:]}")
    return float(done.stdout)


def by_turns(rounds, mine, theirs):
    """The best of runs of two commands by turns."""
    times = [(microseconds(mine), microseconds(theirs)) for _ in range(rounds)]
    return tuple(min(column) for column in zip(*times))


def measure(eryx, python, count, rounds):
    """{"http_get_us", "https_get_us", "download_us": (sandbox, native)} in microseconds."""
    with tempfile.TemporaryDirectory(prefix="eryx-bench-") as folder, \
            servers.Setup(Path(folder)) as setup:
        ports, authorities = setup.ports, setup.folder / "ca.pem"
        with open(setup.folder / "download", "wb") as file:
            for _ in range(DOWNLOAD_BYTES >> 20):
                file.write(bytes(range(256)) * 4096)

        def compare(port, program, *arguments, trust=()):
            sandbox = [eryx, "run", "--tls-ca", authorities, "--allow-net", f"127.0.0.1:{port}"]
            return by_turns(rounds, [*sandbox, program, *arguments],
                            [*python, "-I", program, *arguments, *trust])

        return {
            "http_get_us": compare(ports["http"], GET, "http", ports["http"], count),
            "https_get_us": compare(ports["https"], GET, "https", ports["https"], count,
                                    trust=[authorities]),
            "download_us": compare(ports["http"], DOWNLOAD, ports["http"], "/files/download",
                                   DOWNLOAD_BYTES, DOWNLOADS),
        }
