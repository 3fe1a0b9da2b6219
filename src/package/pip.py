"""What eryx_packages_add_requirements runs when wheels are missing: finds and fetches them with pip.

    python3 -c THIS JSON SOURCE     {requirements, lock, cache, build, locked, sdk}; pip_source.py

Wheels are put into the cache as SHA256/NAME.whl. What has no wheel for the sandbox is built from its
source, whose sha256 counts then. The answer is on stdout, a line each: `wheel PATH`, or `error KIND
TEXT`, KIND one of io, format, state. All output of pip goes to CACHE/pip.log.
"""
import sys

if sys.path and sys.path[0] == "":
    del sys.path[0]  # modules of the current folder are none of ours

import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

# pip looks at markers (PEP 508) with the eyes of the Python it runs in; the packages are for the sandbox.
# Where a later pip has no such function it goes on without.
PIP = """
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
try:
    from pip._vendor.packaging import markers
    real = markers.default_environment
    markers.default_environment = lambda: {
        **real(), "python_version": "3.14", "python_full_version": "3.14.0",
        "implementation_version": "3.14.0", "sys_platform": "wasi", "platform_system": "wasi",
        "platform_machine": "wasm32", "platform_release": "0.0.0", "platform_version": "0.0.0"}
except (ImportError, AttributeError):
    pass
from pip._internal.cli.main import main
sys.exit(main())
"""
QUIET = ["--disable-pip-version-check", "--no-input", "--no-color"]
SANDBOX = ["--only-binary", ":all:", "--platform", "any", "--platform", "wasi_wasm32",
           "--implementation", "cp", "--abi", "cp314", "--abi", "none", "--python-version", "3.14"]
NETWORK = re.compile(r"NewConnectionError|NameResolutionError|ProxyError|ConnectTimeout|ReadTimeout"
                     r"|Temporary failure in name resolution|SSLError|Network is unreachable")
ROUNDS = 40  # each builds at least one package


class Failure(Exception):
    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class Fetch:
    def __init__(self, settings, source):
        self.source = source  # the program that fetches source archives
        self.requirements = Path(settings["requirements"])
        self.lock = Path(settings["lock"])
        self.cache = Path(settings["cache"])
        self.build = settings["build"]
        self.locked = settings["locked"]
        self.sdk = settings["sdk"]
        self.sources = {}  # project: its source archive
        self.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.temp = Path(tempfile.mkdtemp(prefix="tmp.", dir=self.cache))
        self.log = self.temp / "pip.log"

    # --- pip ----------------------------------------------------------------------------------

    def run(self, command, **options):
        done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", **options)
        with open(self.log, "a") as log:
            log.write(f"$ {command[-1]}\n{done.stdout}\n")
        if "No module named pip" in done.stdout:
            raise Failure("io", f"{sys.executable} has no pip; install it (python3-pip, or python3 "
                                "-m ensurepip), or set ERYX_PYTHON to a Python that has it")
        return done.returncode, done.stdout

    def pip(self, *arguments, sandbox=False, **options):
        program = ["-c", PIP] if sandbox else ["-m", "pip"]
        return self.run([sys.executable, "-B", *program, *arguments[:1], *QUIET, *arguments[1:]],
                        **options)

    def fetch_source(self, folder, name, *arguments):
        """The source archive of a package, as it is."""
        return self.run([sys.executable, "-B", "-c", self.source, folder, "download", *QUIET, "--no-deps",
                         "--no-binary", name, "-d", folder, *arguments])

    def pip_failed(self, output, what):
        """What pip says, in one line."""
        lines = [line.partition(":")[2].strip() for line in output.splitlines()
                 if line.startswith("ERROR:")]
        found = NETWORK.search(output)
        if "DO NOT MATCH THE HASHES" in output:
            wanted = re.search(r"^\s+(\S+).*:\n\s+Expected sha256", output, re.M)
            name = wanted.group(1) if wanted else what
            return Failure("format", f"{name}: the file is not the one that is locked (another sha256)")
        if found:
            return Failure("io", f"{what}: pip cannot reach the package index ({found.group(0)})")
        useful = [line for line in lines if "No matching distribution" not in line
                  and "ResolutionImpossible" not in line]
        reason = useful[0] if useful else (lines[-1] if lines else "pip failed")
        return Failure("io", f"{what}: {reason[:150]}")

    # --- Finding ------------------------------------------------------------------------------

    def resolve(self):
        """Wheels of all requirements and what they need; builds what has none."""
        links, out = self.temp / "links", self.temp / "out"
        links.mkdir()
        for _ in range(ROUNDS):
            shutil.rmtree(out, ignore_errors=True)
            status, output = self.pip("download", *SANDBOX, "--find-links", links, "-d", out, "-r",
                                      self.requirements, sandbox=True)
            if status == 0:
                return sorted(out.iterdir())
            built = [self.build_missing(requirement, links) for requirement in self.missing(output)]
            if not any(built):
                raise self.pip_failed(output, self.requirements.name)
        raise Failure("io", f"{self.requirements.name}: more than {ROUNDS} packages have no wheel")

    def missing(self, output):
        """Requirements that may have no wheel, one a project."""
        found = re.findall(r"No matching distribution found for (.+)$", output, re.M)
        found += re.findall(r"^\s+\S+ \S+ depends on (.+)$", output, re.M)
        requirements = {}
        for text in found:
            text = re.sub(r"\s*(\(from .*|;.*)$", "", text).strip()
            name = re.match(r"[A-Za-z0-9][\w.-]*", text)
            if name and normal(name.group(0)) not in self.sources:
                requirements.setdefault(normal(name.group(0)), text)
        return requirements.values()

    def build_missing(self, requirement, links):
        """Whether there is a wheel now that was not there before."""
        probe = self.temp / "probe"
        status, output = self.pip("download", *SANDBOX, "--no-deps", "-d", probe, requirement,
                                  sandbox=True)
        shutil.rmtree(probe, ignore_errors=True)
        if status == 0 or NETWORK.search(output):
            return False
        name = re.match(r"[\w.-]+", requirement).group(0)
        if not self.build:
            raise Failure("io", f"{requirement} has no wheel for the sandbox, and building is not allowed")
        folder = self.temp / "source"
        shutil.rmtree(folder, ignore_errors=True)
        # Extras are part of other wheels than this one.
        bare = re.sub(r"\[.*?\]", "", requirement)
        status, output = self.fetch_source(folder, name, bare)
        if status:
            raise self.pip_failed(output, f"{requirement} has no wheel for the sandbox, and its source "
                                          "cannot be had")
        source = next(folder.iterdir())
        self.sources[normal(name)] = (source.name, sha256(source))
        shutil.copy(self.build_source(source), links)
        return True

    # --- Building -----------------------------------------------------------------------------

    def build_source(self, source):
        """The wheel of a source archive: with the SDK, or without extensions."""
        kept = self.cache / sha256(source)
        if kept.is_dir():
            return next(kept.glob("*.whl"))
        made = self.temp / "made"
        made.mkdir(exist_ok=True)
        wheel, reasons = None, []
        if self.sdk:
            status, output = self.run([sys.executable, "-I", "-B", f"{self.sdk}/tools/eryx_sdk.py",
                                       "build-wheel", "-o", made, source])
            wheel = next(made.glob("*.whl"), None) if status == 0 else None
            reasons += [] if wheel else ["the SDK cannot build it"]
        else:
            reasons.append("there is no SDK (make sdk)")
        if not wheel:
            wheel = self.build_pure(source, made, reasons)
        return self.keep(wheel, kept)

    def build_pure(self, source, made, reasons):
        """Without a compiler, since many packages then do without extensions."""
        environment = {**os.environ, "CC": "false", "CXX": "false", "LDSHARED": "false"}
        status, _ = self.pip("wheel", "--no-deps", "-w", made, source, env=environment)
        wheel = next(made.glob("*.whl"), None)
        if status or not wheel:
            reasons.append("without a compiler it cannot be built")
        elif not wheel.name.endswith("-none-any.whl"):
            with zipfile.ZipFile(wheel) as content:
                native = [name for name in content.namelist() if name.endswith((".so", ".pyd"))]
            if not native:
                return retag(wheel)
            reasons.append("it consists of native code")
        else:
            return wheel
        raise Failure("io", f"{source.name} has no wheel for the sandbox: {' and '.join(reasons)}")

    # --- The cache and the lock file ----------------------------------------------------------

    def keep(self, file, folder):
        """Moves a file to a folder of the cache that appears as a whole."""
        if not folder.is_dir():
            temporary = Path(tempfile.mkdtemp(prefix="tmp.", dir=self.cache))
            shutil.move(file, temporary / file.name)
            try:
                temporary.rename(folder)
            except OSError:  # another process was faster
                shutil.rmtree(temporary, ignore_errors=True)
        return next(folder.glob("*.whl"))

    def inputs(self, path, seen):
        """The requirements file and those it names, with their hashes."""
        seen[os.path.relpath(path, self.lock.parent)] = sha256(path)
        for line in path.read_text().splitlines():
            named = re.match(r"\s*(?:-r|-c|--requirement|--constraint)[ =]\s*(\S+)", line)
            if named and "://" not in named.group(1):
                inner = path.parent / named.group(1)
                if inner.is_file() and os.path.relpath(inner, self.lock.parent) not in seen:
                    self.inputs(inner, seen)
        return seen

    def write_lock(self, entries):
        text = ("# Made by eryx: what is installed for the requirements below, file by file. Keep it with\n"
                "# them. A hash of a source archive stands for the wheel that is built from it.\n")
        for name, digest in self.inputs(self.requirements, {}).items():
            text += f"# requirements sha256:{digest} {name}\n"
        for name, version, digest, file in sorted(entries):
            text += f"{name}=={version} --hash=sha256:{digest} # {file}\n"
        temporary = self.lock.with_name(f"{self.lock.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(text)
            temporary.replace(self.lock)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise Failure("io", f"cannot write the lock file {self.lock}: {error.strerror}") from error

    def make_lock(self):
        entries, wheels = [], []
        for file in self.resolve():
            if file.suffix != ".whl":
                raise Failure("io", f"{file.name} is no wheel: give folders and archives with --package")
            name, version = file.name.split("-")[:2]
            source, digest = self.sources.get(normal(name), (file.name, None))
            digest = digest or sha256(file)
            wheels.append(self.keep(file, self.cache / digest))
            entries.append((normal(name), version, digest, source))
        self.write_lock(entries)
        return wheels

    def read_lock(self):
        """Entries of the lock file; None: there is none of these requirements."""
        if not self.lock.is_file():
            return None
        text = self.lock.read_text()
        files = dict(re.findall(r"^# requirements sha256:([0-9a-f]{64}) (.+)$", text, re.M))
        if files != {digest: name for name, digest in self.inputs(self.requirements, {}).items()}:
            return None
        entries = re.findall(r"^(\S+)==(\S+) --hash=sha256:([0-9a-f]{64}) # (\S+)$", text, re.M)
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        if len(entries) != len(lines):
            raise Failure("format", f"the lock file {self.lock} is damaged; remove it")
        return entries

    def fetch_locked(self, name, version, digest, file):
        folder = self.cache / digest
        if folder.is_dir():
            return next(folder.glob("*.whl"))
        wheel = file.endswith(".whl")
        if not wheel and not self.build:
            raise Failure("io", f"{name} is to be built from {file}, and building is not allowed")
        out, entry = self.temp / f"locked-{name}", self.temp / f"{name}.txt"
        entry.write_text(f"{name}=={version} --hash=sha256:{digest}\n")
        if wheel:
            status, output = self.pip("download", *SANDBOX, "--no-deps", "--require-hashes", "-d", out,
                                      "-r", entry, sandbox=True)
        else:
            status, output = self.fetch_source(out, name, "--require-hashes", "-r", entry)
        if status:
            raise self.pip_failed(output, f"{name}=={version}")
        made = next(out.iterdir())
        return self.keep(made, folder) if wheel else self.build_source(made)

    def wheels(self):
        entries = self.read_lock()
        if entries is None and self.locked:
            raise Failure("state", f"there is no lock file of {self.requirements.name} as it is now "
                                   f"({self.lock.name})")
        if entries is None:
            return self.make_lock()
        return [self.fetch_locked(*entry) for entry in entries]

    def close(self):
        if self.log.exists():
            self.log.replace(self.cache / "pip.log")
        shutil.rmtree(self.temp, ignore_errors=True)


def retag(wheel):
    """A wheel without native code that was built as if it had some."""
    name, version = wheel.name.split("-")[:2]
    target = wheel.with_name(f"{name}-{version}-py3-none-any.whl")
    lines, record = [], None
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith(".dist-info/RECORD"):
                record = info.filename
                continue
            if info.filename.endswith(".dist-info/WHEEL"):
                data = re.sub(rb"^Tag:.*$", b"Tag: py3-none-any", data, flags=re.M)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            lines.append([info.filename, f"sha256={digest}", str(len(data))])
            new.writestr(info, data)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*lines, [record, "", ""]])
        new.writestr(record, text.getvalue())
    wheel.unlink()
    return target


def main():
    fetch = None
    try:
        fetch = Fetch(json.loads(sys.argv[1]), sys.argv[2])
        for wheel in fetch.wheels():
            print(f"wheel {wheel}")
    except Failure as failure:
        print(f"error {failure.kind} {' '.join(str(failure).split())}")
    except (OSError, ValueError, StopIteration) as error:
        print(f"error io {type(error).__name__}: {' '.join(str(error).split())}")
    finally:
        if fetch:
            fetch.close()


main()
