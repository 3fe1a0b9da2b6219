"""`eryx sdk build-wheel`: a wheel for the sandbox from a source package.

The source is fetched by pip (or is a folder), and built by its own build system in a virtual environment
with what it asks for. That Python runs here, but what it knows of its platform is the sandbox's: the
variables of sysconfig name our compiler, headers and suffix. The wheel's name gets the
sandbox's tags at the end.
"""
import argparse
import base64
import csv
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

from folder import SdkError
from progress import Progress

TAG = "cp314-cp314-wasi_wasm32"
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]
# What packages have to be told to be built without what the sandbox has not.
SETTINGS = {"numpy": ["setup-args=-Dblas=none", "setup-args=-Dlapack=none", "setup-args=-Dallow-noblas=true",
                      "setup-args=-Ddisable-optimization=true"]}
DEFAULT_REQUIRES = ["setuptools", "wheel"]


def parse(arguments):
    parser = argparse.ArgumentParser(prog="eryx sdk build-wheel",
                                     description="Builds wheels for the sandbox from source packages.")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE",
                        help="NAME, NAME==VERSION, the file of a source package, or a folder")
    parser.add_argument("-r", dest="requirements", metavar="FILE",
                        help="packages of this file, NAME==VERSION --hash=...; hashes are checked")
    parser.add_argument("-o", dest="output", default=".", help="where to write; default: here")
    parser.add_argument("-C", dest="settings", action="append", default=[], metavar="KEY=VALUE",
                        help="a setting for the build system; may be repeated")
    parser.add_argument("-v", dest="verbose", action="store_true", help="show the build's output")
    known = parser.parse_args(arguments)
    if not known.packages and not known.requirements:
        parser.error("no package given")
    return known


def call(command, what, verbose=False, **options):
    streams = {} if verbose else {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, text=True, errors="replace", **streams, **options)
    if done.returncode:
        shown = "" if verbose else "\n" + "\n".join(done.stdout.splitlines()[-60:])
        raise SdkError(f"{what} failed{shown}")


def name_list(arguments):
    """The packages that are wanted as source; what their builds need may be wheels."""
    if "-r" in arguments:
        text = Path(arguments[-1]).read_text()
        names = re.findall(r"^([A-Za-z0-9][\w.-]*)", text, re.M)
    else:
        names = [re.match(r"[\w.-]+", name).group(0) for name in arguments]
    return ",".join(names)


def fetch(temp, arguments):
    """pip's own way to source packages, which checks hashes if they are given."""
    names = name_list(arguments)
    folder = temp / f"sources-{names.partition(',')[0]}"
    alone = (Path(__file__).parent / "pip_source.py").read_text()
    program = ["-m", "pip"] if "," in names else ["-I", "-c", alone, folder]
    call([sys.executable, *program, "download", *PIP[2:], "--no-deps", "--no-binary", names, "-d", folder,
          *arguments], f"fetching the source of {' '.join(arguments)}")
    return sorted(folder.iterdir())


def unpack(archive, target):
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as content:
            content.extractall(target)
    else:
        with tarfile.open(archive) as content:
            content.extractall(target, filter="data")
    folders = [path for path in target.iterdir() if path.is_dir()]
    if len(folders) != 1:
        raise SdkError(f"{archive.name} is no source package")
    return folders[0]


def uses_meson(source):
    project = source / "pyproject.toml"
    system = tomllib.loads(project.read_text()).get("build-system", {}) if project.exists() else {}
    return system.get("build-backend", "").startswith("mesonpy")


def build_requires(source):
    project = source / "pyproject.toml"
    if not project.exists():
        return DEFAULT_REQUIRES
    system = tomllib.loads(project.read_text()).get("build-system", {})
    return system.get("requires", DEFAULT_REQUIRES)


def environment_for(sdk, requires):
    """A virtual environment with these packages, kept for the next package that asks for the same."""
    key = hashlib.sha256("\n".join([sys.version, *sorted(requires)]).encode()).hexdigest()[:16]
    folder = sdk.root / "cache" / f"build-{key}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        call([folder / "bin" / "python", *PIP, "install", *requires],
             f"installing what the build asks for ({', '.join(requires)})")
        (folder / "complete").touch()
    return folder / "bin" / "python"


def cross_environment(sdk, python):
    programs = sdk.root / "bin"
    return {**os.environ, **sdk.environment(),
            "_PYTHON_SYSCONFIGDATA_NAME": "_sysconfigdata__wasi_wasm32-wasi",
            "_PYTHON_HOST_PLATFORM": "wasi-wasm32",
            "PYTHONPATH": str(sdk.sysconfig),
            "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", "")]),
            "CC": str(programs / "cc"), "CXX": str(programs / "c++"),
            "AR": str(programs / "ar"), "RANLIB": str(programs / "ranlib"),
            "LDSHARED": f"{programs / 'cc'} -shared", "LDCXXSHARED": f"{programs / 'c++'} -shared",
            "ERYX_SDK": str(sdk.root)}


def record_line(name, data):
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return [name, f"sha256={digest}", str(len(data))]


def retag(wheel, output):
    """A copy with the sandbox's tags in its name and its metadata."""
    name, version = wheel.name.split("-")[:2]
    target = output / f"{name}-{version}-{TAG}.whl"
    temporary = target.with_suffix(".tmp")
    lines = []
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith(".dist-info/RECORD"):
                record = info.filename
                continue
            if info.filename.endswith(".dist-info/WHEEL"):
                text = re.sub(r"^Tag:.*\n", "", data.decode(), flags=re.M).rstrip("\n")
                data = f"{text}\nTag: {TAG}\n".encode()
            lines.append(record_line(info.filename, data))
            new.writestr(info, data)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*lines, [record, "", ""]])
        new.writestr(record, text.getvalue())
    temporary.rename(target)
    return target


def build(sdk, source, output, settings, verbose):
    requires = build_requires(source)
    python = environment_for(sdk, requires)
    with tempfile.TemporaryDirectory(prefix="eryx-wheel.") as temp:
        command = [python, *PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", temp]
        if verbose:
            command.append("-v")
        if uses_meson(source):
            command += ["--config-settings", f"setup-args=--cross-file={sdk.meson}"]
        known = SETTINGS.get(re.split(r"-\d", source.name)[0].lower(), [])
        for setting in [*known, *settings]:
            command += ["--config-settings", setting]
        call([*command, str(source)], f"building {source.name}", verbose,
             env=cross_environment(sdk, python))
        made = list(Path(temp).glob("*.whl"))
        if len(made) != 1:
            raise SdkError(f"building {source.name} made no wheel")
        if made[0].name.endswith("-none-any.whl"):
            target = output / made[0].name
            shutil.copy(made[0], target)
            return target
        return retag(made[0], output)


def run(sdk, arguments):
    known = parse(arguments)
    if not sdk.has_full_headers():
        raise SdkError("the headers of CPython 3.14 are missing; `make sdk` fetches them, on a "
                       "machine with a Debian mirror")
    output = Path(known.output)
    output.mkdir(parents=True, exist_ok=True)
    folders = [Path(name) for name in known.packages if Path(name).is_dir()]
    files = [Path(name) for name in known.packages if Path(name).is_file()]
    names = [name for name in known.packages if not Path(name).exists()]
    with tempfile.TemporaryDirectory(prefix="eryx-sources.") as temp, \
            Progress("build-wheel", stream=sys.stderr) as progress:
        temp = Path(temp)
        for name in names:
            with progress.step(f"fetching {name}"):
                files += fetch(temp, [name])
        if known.requirements:
            with progress.step(f"fetching what {known.requirements} names"):
                files += fetch(temp, ["--require-hashes", "-r", known.requirements])
        for number, archive in enumerate(files):
            folder = temp / str(number)
            folder.mkdir()
            folders.append(unpack(archive, folder))
        progress.done, progress.total = 0, len(folders)
        for folder in folders:
            with progress.step(f"building {folder.name}"):
                wheel = build(sdk, folder.resolve(), output, known.settings, known.verbose)
            progress.say(wheel, sys.stdout)
    return 0
