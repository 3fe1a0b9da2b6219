"""What the build needs from the system: probing it, installing what is missing.

Packages are installed only where that needs no question: as root, or through
sudo without a password, and with apt-get there. Otherwise the exact command is
in the error.
"""
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path


SHOWN_LINES = 8  # of the output of a command that failed
FREE_SPACE = "free some space on the disk (about 1 GB is needed), then run again"
CHECK_NETWORK = ("check the network, the proxy and the registry settings of that tool, then run "
                 "again; what is complete is kept")


class StepError(Exception):
    """A step that failed: what happened, and what the user can do."""

    def __init__(self, message, advice):
        super().__init__(message)
        self.advice = advice


def run(command, **options):
    """Runs a command quietly; on failure the error holds the end of its output."""
    command = [str(part) for part in command]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, errors="replace", **options)
    except OSError as error:
        raise StepError(f"cannot run {command[0]}: {error.strerror}",
                        f"install {command[0]}, or put it on PATH") from error
    if done.returncode:
        tail = "\n".join("    " + line for line in done.stdout.splitlines()[-SHOWN_LINES:])
        full = any(sign in done.stdout for sign in ("No space left", "ENOSPC", "quota exceeded"))
        raise StepError(f"'{' '.join(command[:4])} ...' ended with {done.returncode}:\n{tail}",
                        FREE_SPACE if full else CHECK_NETWORK)
    return done.stdout


def has_tool(name, minimum=None):
    path = shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if not path or not minimum:
        return bool(path)
    done = subprocess.run([path, "--version"], capture_output=True, text=True)
    found = re.search(r"(\d+)\.(\d+)", done.stdout)
    wanted = [int(part) for part in minimum.split(".")]
    return bool(found) and [int(part) for part in found.groups()] >= wanted


def present(probe):
    kind, *rest = probe.split()
    if kind == "tool":
        return has_tool(*rest)
    if kind == "pkg-config":
        return has_tool("pkg-config") and subprocess.run(["pkg-config", "--exists", *rest]).returncode == 0
    if kind == "python-headers":
        return Path(sysconfig.get_paths()["include"], "Python.h").exists()
    if kind == "pip":
        return subprocess.run([sys.executable, "-m", "pip", "--version"],
                              capture_output=True).returncode == 0
    raise StepError(f"system.txt: unknown probe '{probe}'", "correct deps/system.txt")


def missing_of(manifest):
    """Rows of the manifest whose probe fails: (probe, packages, purpose)."""
    rows = []
    for line in manifest.read_text().splitlines():
        if line and not line.startswith("#"):
            probe, packages, purpose = (part.strip() for part in line.split("|"))
            rows.append((probe, packages, purpose))
    return [row for row in rows if not present(row[0])]


def install_command(packages):
    """The command that installs packages without asking, or None."""
    if not shutil.which("apt-get"):
        return None
    prefix = []
    if os.geteuid() != 0:
        if not shutil.which("sudo") or subprocess.run(["sudo", "-n", "true"],
                                                      capture_output=True).returncode:
            return None
        prefix = ["sudo", "-n"]
    return prefix + ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]


def best_package(packages):
    """Of alternatives ('cargo cargo-web') the one of which apt has the newest version."""
    best = (-1, -1), packages.split()[0]
    for name in packages.split() if shutil.which("apt-cache") else []:
        done = subprocess.run(["apt-cache", "policy", name], capture_output=True, text=True)
        found = re.search(r"Candidate: (?:\d+:)?(\d+)\.(\d+)", done.stdout)
        if found:
            best = max(best, ((int(found[1]), int(found[2])), name))
    return best[1]


def check_system(manifest, install, say):
    """Makes sure that everything in the manifest is there, or raises StepError."""
    missing = missing_of(manifest)
    if not missing:
        return
    for probe, packages, purpose in missing:
        say(f"deps: system: missing {probe} ({purpose})")
    command = install_command(missing) if install else None
    if command:
        say("deps: system: installing with apt-get")
        run(command + ["update", "-qq"])
        names = [best_package(row[1]) for row in missing]
        run(command + ["install", "-y", "-qq", "--no-install-recommends", *names])
        missing = missing_of(manifest)
    if missing:
        names = " ".join(best_package(row[1]) for row in missing)
        raise StepError("missing: " + ", ".join(row[0] for row in missing),
                        f"install them, on Debian: sudo apt-get install {names}")
