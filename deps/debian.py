"""Packages of another Debian suite than this machine's: downloaded with apt's own client, from the
mirror this machine is configured for and checked with this machine's keys. Nothing is installed or
upgraded, no rights are needed, and all of apt's state is in a folder of the caller's.
"""
import re
import shutil
import subprocess
from pathlib import Path


class Unavailable(Exception):
    pass


def stanza_sources(text):
    """(URI, Signed-By) of the deb822 stanzas of the main archive."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.M))
        if "deb" in fields.get("Types", "").split():
            for uri in fields.get("URIs", "").split():
                yield uri, fields.get("Signed-By", "").strip()


def line_sources(text):
    """The same of one-line entries: deb [options] URI suite components."""
    for options, uri in re.findall(r"^deb\s+(?:\[(.*?)\]\s+)?(\S+)", text, re.M):
        signed = re.search(r"signed-by=(\S+)", options or "")
        yield uri, signed.group(1) if signed else ""


def configured_mirror():
    """Where this machine gets Debian's main archive from: (URI, keyring or '')."""
    folder = Path("/etc/apt")
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for uri, signed in stanza_sources(path.read_text()):
            if uri.rstrip("/").endswith("/debian"):
                return uri, signed
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        for uri, signed in line_sources(path.read_text() if path.exists() else ""):
            if uri.rstrip("/").endswith("/debian"):
                return uri, signed
    raise Unavailable("apt is not configured with a Debian mirror")


def apt(temp, *arguments):
    """apt-get with all of its state under temp."""
    options = {
        "Dir::Etc::SourceList": temp / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": temp / "state",
        "Dir::State::Status": temp / "status",
        "Dir::Cache": temp / "cache",
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": "false",
        "APT::Update::Pre-Invoke": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    command = ["apt-get", "-q"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    done = subprocess.run([*command, *arguments], cwd=temp / "packages", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Unavailable(f"apt-get {arguments[0]}: {done.stdout.strip()[-400:]}")


def download(temp, suite, packages):
    """The .deb files of the packages, in temp, which is an empty folder."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable("no apt on this machine")
    uri, signed = configured_mirror()
    for folder in ("state/lists/partial", "cache/archives/partial", "packages"):
        (temp / folder).mkdir(parents=True)
    (temp / "status").touch()
    option = f"[signed-by={signed}] " if signed else ""
    (temp / "sources.list").write_text(f"deb {option}{uri} {suite} main\n")
    apt(temp, "update")
    apt(temp, "download", *packages)
    return sorted((temp / "packages").glob("*.deb"))
