#!/usr/bin/env python3
"""A line that tells how far long work is: `runtime [#####     ] 12/68 wasm-opt, link 43 s`.

On a terminal it is one line, written anew in place and gone at the end; lines that are said appear above
it. Otherwise only those lines are written.

    toolchain/progress.py LABEL COMMAND ...    runs a command in the same way: its lines, and how long it takes
"""
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time

BAR = 20
TICK_SECONDS = 0.25
SILENT_SECONDS = 0.5  # work that is over by then shows nothing
CLEAR = "\r\x1b[K"


def on_terminal(stream):
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def draw(label, done, total, running, seconds, columns):
    """The line: without a bar if total is 0, cut to the terminal."""
    bar = ""
    if total:
        filled = min(BAR, BAR * done // total)
        bar = f" [{'#' * filled}{' ' * (BAR - filled)}] {done}/{total}"
    line = f"{label}{bar} {', '.join(running)} {seconds:.0f} s" if running else f"{label}{bar} {seconds:.0f} s"
    return "".join(c if c.isprintable() else "?" for c in line)[:columns - 1]


class Progress:
    """Of `total` steps (0: not known). Use as a context; all methods from any thread."""

    def __init__(self, label, total=0, stream=None):
        self.label, self.total, self.stream = label, total, stream or sys.stdout
        self.live = on_terminal(self.stream)
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.done, self.running, self.shown = 0, {}, False
        self.started = time.monotonic()
        self.thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self):
        if self.live:
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        if self.live:
            self.thread.join()
            with self.lock:
                self._clear()

    def begin(self, name):
        with self.lock:
            self.running[name] = time.monotonic()

    def end(self, name):
        with self.lock:
            self.running.pop(name, None)
            self.done += 1

    def say(self, line, stream=None):
        with self.lock:
            self._clear()
            print(line, file=stream or self.stream, flush=True)

    @contextlib.contextmanager
    def step(self, name):
        self.begin(name)
        try:
            yield
        finally:
            self.end(name)

    def _clear(self):
        if self.shown:
            self.stream.write(CLEAR)
            self.stream.flush()
        self.shown = False

    def _tick(self):
        wait = SILENT_SECONDS
        while not self.over.wait(wait):
            wait = TICK_SECONDS
            with self.lock:
                oldest = min(self.running.values(), default=self.started)
                line = draw(self.label, self.done, self.total, list(self.running),
                            time.monotonic() - oldest, shutil.get_terminal_size().columns)
                self.stream.write(CLEAR + line)
                self.stream.flush()
                self.shown = True


def main(label, *command):
    if not on_terminal(sys.stdout):
        os.execvp(command[0], command)
    with Progress(label) as progress, \
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout:
            progress.say(line.rstrip("\n"))
    return process.returncode


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"progress: cannot run {sys.argv[2]}: {error.strerror}")
