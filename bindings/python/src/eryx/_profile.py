"""Profiles: where programs spend their time, from samples of their Python stacks."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from . import _errors, _eryx

__all__ = ["Profile", "ProfileCall", "ProfileFunction", "ProfileLine"]

How = Literal["returned", "failed", "cancelled"]
# The program decides how much there is to tell: what is beyond these is counted only.
FUNCTIONS_MAX, NODES_MAX, LINES_MAX, BUSY_MAX, CALLS_MAX = 20_000, 100_000, 50_000, 20_000, 20_000
FILES_MAX, FILE_BYTES_MAX, LINE_MAX, HOT_LINES = 50, 2 << 20, 200, 100
GAP_NS = 3_000_000  # less between two samples is no pause of the program
DEFAULT_FILENAME = "<eryx>"
OUTER = ("(frames further out)", "", 0)


@dataclass(frozen=True, slots=True)
class ProfileFunction:
    """A function of programs, and what it took. Names and files are what the program says."""

    name: str
    """Qualified, as "Parser.parse"; "<module>" is a program itself."""
    file: str
    line: int
    """Its first one."""
    self_time: float
    """Seconds of processor time in the function itself."""
    total_time: float
    """The same with all that it called."""
    samples: int
    """That found it at work itself."""


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """A line of programs, and what it took itself."""

    function: str
    file: str
    line: int
    text: str
    """Of the source; "" if nobody knows it."""
    self_time: float
    samples: int


@dataclass(frozen=True, slots=True)
class ProfileCall:
    """A call of a callback; times are seconds since the first execution began."""

    name: str
    made: float
    began: float
    """When the function began: tasks of a busy event loop wait."""
    ended: float
    how: How


class Profile:
    """Where programs spend their time: give one as `profile=` to run, Sandbox, Session or Pool. It gathers all
    executions of all sandboxes that have it.

    interval: seconds of processor time between two samples, at least 0.0001. Each costs some microseconds, here
    and in the sandbox. A sample names the line that a program has come to; the time of a long operation in C
    is that of the line that began it.

    >>> profile = eryx.Profile()
    >>> code = "def slow(n):\\n    for i in range(n): n ^= i * i\\nslow(1_000_000)"
    >>> _ = eryx.run(code, profile=profile)
    >>> profile.functions[0].name
    'slow'
    >>> profile.lines[0].text
    'for i in range(n): n ^= i * i'
    >>> profile.html()[:15]
    '<!DOCTYPE html>'
    """

    def __init__(self, *, interval: float = 0.001) -> None:
        if isinstance(interval, bool) or not isinstance(interval, (int, float)):
            raise TypeError(f"interval must be seconds, not {type(interval).__name__}")
        if not 0.0001 <= interval <= 60:
            raise ValueError(f"interval of {interval} s: must be between 0.0001 and 60")
        self._interval_ns = round(interval * 1e9)
        self._lock = threading.Lock()
        self._functions: dict[tuple[str, str, int], int] = {}
        # Node 0 is the root; a parent comes before its children.
        self._nodes: dict[tuple[int, int], int] = {(-1, -1): 0}
        self._node_ns, self._node_samples = [0], [0]
        self._lines: dict[tuple[int, int, str], list[int]] = {}
        self._busy: list[list[int]] = []
        self._calls: list[tuple[str, int, int, int, How]] = []
        self._begin_ns = self._end_ns = 0
        self._samples = self._cut = self._sampled_ns = self._calls_dropped = self._executions = 0
        self._program, self._outcome = "", ""

    # --- Gathering ---

    def _record(self, code: str | None, filename: str | None) -> Recorder:
        with self._lock:
            self._executions += 1
            if not self._begin_ns:
                self._begin_ns = self._end_ns = time.monotonic_ns()
        return Recorder(self, code, filename or DEFAULT_FILENAME)

    def _function(self, key: tuple[str, str, int]) -> int | None:
        number = self._functions.get(key)
        if number is None and len(self._functions) < FUNCTIONS_MAX:
            number = self._functions[key] = len(self._functions)
        return number

    def _node(self, key: tuple[int, int]) -> int | None:
        number = self._nodes.get(key)
        if number is None and len(self._nodes) < NODES_MAX:
            number = self._nodes[key] = len(self._nodes)
            self._node_ns.append(0)
            self._node_samples.append(0)
        return number

    def _add_busy(self, begin: int, end: int) -> None:
        """A sample stands for the time before it."""
        last = self._busy[-1] if self._busy else None
        if last is not None and (begin < last[1] + GAP_NS or len(self._busy) == BUSY_MAX):
            last[1] = max(end, last[1])
        else:
            self._busy.append([begin, end])

    # --- What is told ---

    @property
    def executions(self) -> int:
        """How many have begun."""
        return self._executions

    @property
    def samples(self) -> int:
        """How many were taken."""
        return self._samples

    @property
    def cpu_time(self) -> float:
        """Seconds of processor time that the samples stand for."""
        return self._sampled_ns / 1e9

    @property
    def functions(self) -> list[ProfileFunction]:
        """Those that took most themselves come first."""
        with self._lock:
            nodes, names = list(self._nodes), list(self._functions)
            mine, counts = list(self._node_ns), list(self._node_samples)
        whole = list(mine)
        for number in range(len(nodes) - 1, 0, -1):
            whole[nodes[number][0]] += whole[number]
        own, total, samples = ([0] * len(names) for _ in range(3))
        for number, (parent, function) in enumerate(nodes[1:], 1):
            own[function] += mine[number]
            samples[function] += counts[number]
            while parent and nodes[parent][1] != function:  # recursion counts once
                parent = nodes[parent][0]
            if not parent:
                total[function] += whole[number]
        found = [ProfileFunction(*name, own[i] / 1e9, total[i] / 1e9, samples[i])
                 for i, name in enumerate(names)]
        return sorted(found, key=lambda f: (f.self_time, f.total_time), reverse=True)

    @property
    def lines(self) -> list[ProfileLine]:
        """Those that took most come first."""
        with self._lock:
            names = list(self._functions)
            found = [ProfileLine(names[function][0], names[function][1], line, text, ns / 1e9, samples)
                     for (function, line, text), (ns, samples) in self._lines.items()]
        return sorted(found, key=lambda line: line.self_time, reverse=True)

    @property
    def calls(self) -> list[ProfileCall]:
        """Of callbacks, in the order they ended."""
        begin = self._begin_ns
        return [ProfileCall(name, (made - begin) / 1e9, (began - begin) / 1e9, (ended - begin) / 1e9, how)
                for name, made, began, ended, how in list(self._calls)]

    def _data(self) -> dict[str, Any]:
        """What the page of `eryx run --profile` shows; times are microseconds."""
        with self._lock:
            def when(time_ns: int) -> int:
                return max(0, time_ns - self._begin_ns) // 1000
            hot = sorted(self._lines.items(), key=lambda item: -item[1][0])[:HOT_LINES]
            return {
                "version": 1,
                "program": (self._program if self._executions == 1
                            else f"{self._executions} executions"),
                "outcome": self._outcome, "wall_us": when(self._end_ns),
                "cpu_us": self._sampled_ns // 1000, "sampled_us": self._sampled_ns // 1000,
                "samples": self._samples, "samples_cut": self._cut,
                "calls_dropped": self._calls_dropped,
                "functions": [list(key) for key in self._functions],
                "nodes": [[parent, function, self._node_ns[number] // 1000, self._node_samples[number]]
                          for (parent, function), number in self._nodes.items() if number],
                "lines": [[function, line, ns // 1000, samples, text]
                          for (function, line, text), (ns, samples) in hot],
                "busy": [[when(begin), when(end)] for begin, end in self._busy],
                "calls": [[name, when(made), when(began), when(ended), how]
                          for name, made, began, ended, how in self._calls]}

    def html(self) -> str:
        """A page with a timeline, a flame graph, functions and lines; it needs nothing from elsewhere."""
        page = (Path(__file__).parent / "profile.html").read_text(encoding="utf-8")
        data = json.dumps(self._data(), separators=(",", ":"))
        for character in "<>&":  # texts of programs are in it
            data = data.replace(character, f"\\u{ord(character):04x}")
        return page.replace("@PROFILE_DATA@", data, 1)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the page into a file, whole or not at all."""
        page = self.html().encode()
        folder, name = os.path.split(os.path.abspath(os.fspath(path)))
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}-", dir=folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(page)
                mask = os.umask(0)
                os.umask(mask)
                os.fchmod(file.fileno(), 0o666 & ~mask)
            os.replace(temporary, os.path.join(folder, name))
        except BaseException:
            os.unlink(temporary)
            raise

    def __repr__(self) -> str:
        return f"<eryx.Profile {self._executions} executions, {self._samples} samples>"


class Recorder:
    """One execution, on its way into a profile."""

    __slots__ = ("profile", "code", "filename", "lines")

    def __init__(self, profile: Profile, code: str | None, filename: str) -> None:
        self.profile, self.code, self.filename = profile, code, filename
        self.lines: dict[tuple[int, int], list[int]] = {}

    def sample(self, time_ns: int, cpu_ns: int, cut: bool,
               frames: list[tuple[str, str, int, int]]) -> None:
        """The innermost frame comes first."""
        profile = self.profile
        with profile._lock:
            profile._samples += 1
            profile._sampled_ns += cpu_ns
            profile._add_busy(time_ns - cpu_ns, time_ns)
            node, function = 0, None
            for frame in ([(*OUTER, 0)] if cut else []) + frames[::-1]:
                function = profile._function(frame[:3])
                below = None if function is None else profile._node((node, function))
                if below is None:
                    profile._cut += 1
                    break
                node = below
            else:
                if frames and function is not None:
                    self._add_line(function, frames[0][3], cpu_ns, 1)
            profile._node_ns[node] += cpu_ns
            profile._node_samples[node] += 1

    def _add_line(self, function: int, line: int, cpu_ns: int, samples: int) -> None:
        kept = self.lines.get((function, line))
        if kept is not None:
            kept[0] += cpu_ns
            kept[1] += samples
        elif len(self.lines) < LINES_MAX:
            self.lines[function, line] = [cpu_ns, samples]

    def call(self, name: str, made_ns: int, began_ns: int, how: How) -> None:
        """A call that has ended now."""
        profile = self.profile
        with profile._lock:
            if len(profile._calls) < CALLS_MAX:
                profile._calls.append((name, made_ns, began_ns, time.monotonic_ns(), how))
            else:
                profile._calls_dropped += 1

    def end(self, raw: _eryx.Sandbox, outcome: str) -> None:
        """The execution is over. Lines of source come from its code and from files of its sandbox, never of
        this machine."""
        profile = self.profile
        with profile._lock:
            names = list(profile._functions)
        sources: dict[str, list[str]] = {}
        if self.code is not None:
            sources[self.filename] = self.code.split("\n")
        texts = {}
        for function, line in sorted(self.lines, key=lambda key: -self.lines[key][0])[:HOT_LINES]:
            file = names[function][1]
            if file not in sources and len(sources) < FILES_MAX:
                sources[file] = _read(raw, file)
            source = sources.get(file, [])
            if 0 < line <= len(source):
                texts[function, line] = source[line - 1].strip()[:LINE_MAX]
        with profile._lock:
            for (function, line), (ns, samples) in self.lines.items():
                key = function, line, texts.get((function, line), "")
                if key in profile._lines or len(profile._lines) < LINES_MAX:
                    kept = profile._lines.setdefault(key, [0, 0])
                    kept[0] += ns
                    kept[1] += samples
            profile._end_ns = max(profile._end_ns, time.monotonic_ns())
            profile._program, profile._outcome = self.filename, outcome
        self.lines = {}


def _read(raw: _eryx.Sandbox, path: str) -> list[str]:
    if not path.startswith("/"):
        return []
    try:
        return raw.files_read(path, FILE_BYTES_MAX).decode("utf-8", "replace").split("\n")
    except (_errors.Error, OSError, ValueError):
        return []
