"""The table of docs/limitations.md that says which of CPython's tests fail, and why.

    | file | tests | kind | why |

`tests` are names as they are reported, with `*` and `?`, separated by commas; one that begins with `-` is
left out of the run, since it never ends or breaks the interpreter for those after it, and counts as
failed. `kind` is one of KINDS. A file may have several lines.
"""
import fnmatch
import re
from dataclasses import dataclass, field

BEGIN, END = "<!-- cpython-tests: begin -->", "<!-- cpython-tests: end -->"
KINDS = {
    "threads": "needs threads",
    "processes": "needs processes or signals between them",
    "network": "needs sockets that were not granted",
    "version": "tests a change made after the runtime's version of CPython",
    "earlier": "tests what a change replaced before the runtime's version of CPython",
    "build": "depends on how CPython was built or installed",
    "platform": "depends on a 32-bit platform, WASI or its libc",
    "sandbox": "the sandbox is so on purpose",
    "slow": "takes longer than its time limit",
    "upstream": "fails in CPython itself",
}
# What a platform without threads, processes and networking cannot pass.
APART = {"threads", "processes", "network"}
# What another version of CPython is tested for.
OF_VERSIONS = {"version", "earlier"}


class Malformed(Exception):
    pass


@dataclass
class Line:
    number: int
    file: str
    tests: list
    kind: str
    why: str
    used: set = field(default_factory=set)  # the patterns that a failure was found for

    @property
    def left_out(self):
        return [pattern[1:] for pattern in self.tests if pattern.startswith("-")]

    @property
    def stale(self):
        return [pattern for pattern in self.tests if pattern not in self.used]

    def covers(self, test):
        found = {pattern for pattern in self.tests
                 if fnmatch.fnmatchcase(test, pattern.removeprefix("-"))}
        self.used |= found
        return bool(found)


def cells(text):
    return [cell.strip().strip("`") for cell in text.strip().strip("|").split("|")]


def read(path):
    """{file: [Line]} of the table."""
    lines = {}
    inside = False
    for number, text in enumerate(path.read_text().splitlines(), 1):
        if text.strip() in (BEGIN, END):
            inside = text.strip() == BEGIN
            continue
        if not inside or not text.startswith("| `"):
            continue
        row = cells(text)
        if len(row) != 4 or not all(row):
            raise Malformed(f"{path}:{number}: not of the form | `file` | tests | kind | why |")
        if row[2] not in KINDS:
            raise Malformed(f"{path}:{number}: unknown kind {row[2]!r}, known are {', '.join(KINDS)}")
        tests = [test.strip("`") for test in re.split(r",\s*", row[1])]
        lines.setdefault(row[0], []).append(Line(number, row[0], tests, row[2], row[3]))
    return lines
