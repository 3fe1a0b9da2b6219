"""Runs steps that turn files into files, and remembers their results by content.

A step is a command with input files and named outputs. Its key is the sha256 of the command and
of the contents of its inputs; the outputs of a key are kept in CACHE/<step>-<key>/, so a step whose
inputs were seen before costs nothing, whatever the branch. Outputs are made in a temporary folder
that is renamed when the command has succeeded.
"""
import concurrent.futures
import errno
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from progress import Progress

KEPT_RESULTS = 4  # per step
STILL_RUNNING_SECONDS = 20
SHOWN_SECONDS = 0.5  # quicker steps get no line of their own


class StepFailed(Exception):
    """What failed; advice tells what to do."""

    def __init__(self, message, advice=""):
        super().__init__(message)
        self.advice = advice


class Output:
    """A named output of a step, or with `/` a file in it, used as an input of others."""

    def __init__(self, step, name, inner=""):
        self.step, self.name, self.inner = step, name, inner

    def __truediv__(self, inner):
        return Output(self.step, self.name, inner)

    def path(self):
        return self.step.results[self.name][0] / self.inner


class Step:
    """command is a list of strings, paths (inputs), Outputs (inputs), Out(name) and Join(...).

    inputs: what else the result depends on (headers, files of a folder); a string stands for itself.
    environment: variables the command gets; they are not part of the key.
    """

    def __init__(self, name, command, inputs=(), environment=None):
        self.name, self.command = name, list(command)
        self.inputs, self.environment = list(inputs), environment or {}
        self.results = None  # name -> (path, sha256), once done

    def __getitem__(self, name):
        return Output(self, name)

    def parts(self):
        for part in self.command:
            yield from (part.parts if isinstance(part, Join) else [part])

    def needs(self):
        return {part.step for part in [*self.parts(), *self.inputs] if isinstance(part, Output)}


class Out(str):
    """Where the command is to write an output; stands for a file in the step's folder."""


class Join:
    """Parts that make one argument, as in --runtime=PATH."""

    def __init__(self, *parts):
        self.parts = parts


def sha256_file(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") \
            else hashlib.sha256(file.read()).hexdigest()


class Runner:
    """Runs steps in the order of their needs, up to `jobs` at once."""

    def __init__(self, root, cache, jobs, verbose):
        self.root, self.cache, self.jobs, self.verbose = root, cache, jobs, verbose
        self.lock = threading.Lock()
        self.progress = None  # while steps run
        self.hashes = {}
        self.running = {}
        cache.mkdir(parents=True, exist_ok=True)

    def say(self, line):
        if self.progress:
            self.progress.say(line)
        else:
            print(line, flush=True)

    def hash_of(self, part):
        if isinstance(part, Output):
            return part.step.results[part.name][1]
        if part not in self.hashes:
            try:
                self.hashes[part] = sha256_file(part)
            except OSError as error:
                raise StepFailed(f"cannot read {part}: {error.strerror}") from error
        return self.hashes[part]

    def key_of(self, step):
        digest = hashlib.sha256(step.name.encode())
        for part in [*step.parts(), "\0inputs", *step.inputs]:
            if isinstance(part, (Path, Output)):
                # Names of inputs count too: debug information and messages show them.
                name = f"{part.name}/{part.inner}" if isinstance(part, Output) else self.shown(part)
                digest.update(f"\0file {name} {self.hash_of(part)}".encode())
            else:
                digest.update(f"\0word {part}".encode())
        return digest.hexdigest()[:32]

    def shown(self, path):
        """A path as commands see it: relative to the project where it is in it."""
        return os.path.relpath(path, self.root) if path.is_relative_to(self.root) else str(path)

    def argument(self, part, folder):
        if isinstance(part, Join):
            return "".join(self.argument(inner, folder) for inner in part.parts)
        if isinstance(part, Output):
            return self.shown(part.path())
        if isinstance(part, Out):
            return self.shown(folder / part)
        return self.shown(part) if isinstance(part, Path) else str(part)

    def execute(self, step, folder):
        command = [self.argument(part, folder) for part in step.command]
        if self.verbose:
            self.say("  " + " ".join(command))
        try:
            done = subprocess.run(command, cwd=self.root, env={**os.environ, **step.environment},
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace")
        except OSError as error:
            raise StepFailed(f"cannot run {command[0]}: {error.strerror}",
                             "run `make` at the top of the project, which builds or fetches it")
        if done.returncode:
            how = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
            tail = "\n".join(done.stdout.splitlines()[-40:])
            raise StepFailed(f"{how}\n  {' '.join(command)}\n{tail}",
                             "correct what is reported above and run again; finished steps are kept")
        for part in step.parts():
            if isinstance(part, Out) and not (folder / part).exists():
                raise StepFailed(f"the command succeeded but did not write {part}")

    def results_in(self, step, folder):
        """Outputs of a finished step, or None if the folder is not a result."""
        try:
            hashes = json.loads((folder / "hashes.json").read_text())
            os.utime(folder)
        except (OSError, ValueError):
            return None
        results = {name: (folder / name, digest) for name, digest in hashes.items()}
        return results if all(path.exists() for path, _ in results.values()) else None

    def run_step(self, step):
        folder = self.cache / f"{step.name}-{self.key_of(step)}"
        step.results = self.results_in(step, folder)
        if step.results is not None:
            return False
        started = time.monotonic()
        with self.lock:
            self.running[step.name] = started
        temp = Path(tempfile.mkdtemp(prefix=".tmp-", dir=self.cache))
        temp.chmod(0o755)
        try:
            self.execute(step, temp)
            outputs = sorted(part for part in step.parts() if isinstance(part, Out))
            hashes = {name: hash_tree(temp / name) for name in outputs}
            (temp / "hashes.json").write_text(json.dumps(hashes))
            if folder.exists():  # incomplete, or just made by another make
                shutil.rmtree(folder)
            temp.rename(folder)
        finally:
            shutil.rmtree(temp, ignore_errors=True)
            with self.lock:
                del self.running[step.name]
        step.results = self.results_in(step, folder)
        self.prune(step)
        seconds = time.monotonic() - started
        if self.verbose or seconds > SHOWN_SECONDS:
            self.say(f"runtime: {step.name} {seconds:.1f} s")
        return True

    def prune(self, step):
        """Drops all but the latest results of a step."""
        old = [path for path in self.cache.glob(f"{step.name}-*")
               if len(path.name) == len(step.name) + 33]
        old.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in old[KEPT_RESULTS:]:
            shutil.rmtree(path, ignore_errors=True)

    def guarded(self, step):
        self.progress.begin(step.name)
        try:
            return self.run_step(step)
        except OSError as error:
            advice = "free some space (about 1 GB is needed) and run again" \
                if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
            raise StepFailed(str(error), advice) from error
        finally:
            self.progress.end(step.name)

    def run(self, steps):
        """Runs all; returns how many did something. On a failure the running ones still end."""
        with Progress("runtime", len(steps)) as self.progress:
            return self.run_all(steps)

    def run_all(self, steps):
        waiting, futures, ran, failure = list(steps), {}, 0, None
        with concurrent.futures.ThreadPoolExecutor(max_workers=self.jobs) as pool:
            while (waiting and not failure) or futures:
                for step in [s for s in waiting if not failure
                             and all(need.results is not None for need in s.needs())]:
                    waiting.remove(step)
                    futures[pool.submit(self.guarded, step)] = step
                finished, _ = concurrent.futures.wait(
                    futures, timeout=STILL_RUNNING_SECONDS,
                    return_when=concurrent.futures.FIRST_COMPLETED)
                if not finished and not self.progress.live:
                    self.report_running()
                for future in finished:
                    step = futures.pop(future)
                    if isinstance(future.exception(), StepFailed):
                        failure = failure or (step, future.exception())
                    else:
                        ran += future.result()
        if failure:
            step, error = failure
            raise StepFailed(f"step '{step.name}' failed: {error}", error.advice)
        return ran

    def report_running(self):
        with self.lock:
            running = dict(self.running)
        for name, started in running.items():
            self.say(f"runtime: {name} is running, {time.monotonic() - started:.0f} s so far")


def hash_tree(path):
    """sha256 of a file, or of the names and contents of a folder."""
    if path.is_file():
        return sha256_file(path)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()} {sha256_file(file)}\n".encode())
    return digest.hexdigest()


def publish(result, target):
    """Makes target the same as a result (path, sha256), by hard links where that works."""
    path, _ = result
    if path.is_dir():
        mark = target / ".source"
        if mark.exists() and mark.read_text() == str(path):
            return
        temp = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        shutil.copytree(path, temp, dirs_exist_ok=True)
        (temp / ".source").write_text(str(path))
        temp.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        temp.rename(target)
        return
    if target.exists() and os.path.samefile(path, target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temp = target.with_name(f".{target.name}.{os.getpid()}")
    temp.unlink(missing_ok=True)
    try:
        os.link(path, temp)
    except OSError:
        shutil.copy2(path, temp)
    os.replace(temp, target)
