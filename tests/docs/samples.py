"""Runs the samples of a page. What is read after a block's language tells what it is:

    console              a session of a shell: lines that begin with `$ ` (going on with `> `) are run by sh, all of a
                         page in one folder with `eryx` on the PATH and pkg-config knowing it; the lines up to the next
                         command are what it writes, in which `...` stands for anything. Comments end a command's output.
    console server       the same with an `eryx serve` at $URL
    LANGUAGE FILE        a file of that folder, which a command after it must use
    python               a session of Python's prompt, one a page
    json                 JSON; with "limits" it is given to `eryx mcp --config`
    LANGUAGE not run: WHY    not run, and counted

Anything else is a failure, so are blocks that are only indented: every sample is run or says why not.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-for-the-documentation"
TIMEOUT = 60
WARNINGS = "-std=gnu11 -Wall -Wextra -Werror -pedantic"
DOCTEST = """
import doctest, sys
lines = sys.stdin.read()
test = doctest.DocTestParser().get_doctest(lines, {}, sys.argv[1], sys.argv[1], 0)
runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL, verbose=False)
done = runner.run(test)
print(f"{len(test.examples) - done.failed} {done.failed}", file=sys.stderr)
"""


def blocks(text):
    """(line number, info, lines) of the fenced blocks."""
    fence, info, first, lines = "", "", 0, []
    for number, line in enumerate(text.split("\n"), 1):
        if not fence and (match := re.match(r"(```+|~~~+)(.*)", line)):
            fence, info, first, lines = match[1], match[2].strip(), number, []
        elif fence and line.startswith(fence):
            yield first, info, lines
            fence = ""
        elif fence:
            lines.append(line)
    if fence:
        yield first, "never ends", lines


def indented(text):
    """Line numbers of blocks of code without a fence."""
    fence, before, listed = False, "", False
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"```|~~~", line):
            fence = not fence
        elif not fence:
            if re.match(r" {4,}\S", line) and not before.strip() and not listed:
                yield number
            if re.match(r"\S", line):
                listed = bool(re.match(r"([-*+]|\d+\.) ", line))
        before = line if not re.match(r" {4,}\S", line) else "indented"


def commands(lines):
    """(command, expected output)."""
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0] += "\n" + line[2:]
        elif found:
            found[-1][1].append(line)
    return [(command, "".join(line + "\n" for line in output)) for command, output in found]


def matches(expected, actual):
    pattern = ".*".join(re.escape(part) for part in expected.rstrip("\n").split("..."))
    return re.fullmatch(pattern, actual.rstrip("\n"), re.S)


def package_file(build):
    """What pkg-config tells of the build tree."""
    cache = (build / "CMakeCache.txt").read_text()
    sanitizers = re.search(r"^ERYX_SANITIZE:\w+=(.*)$", cache, re.M)[1]
    flags = f" -fsanitize={sanitizers}" if sanitizers else ""
    return (f"Name: eryx\nDescription: of the build tree\nVersion: 0\n"
            f"Cflags: -I{ROOT / 'include'} {WARNINGS}{flags}\nLibs: -L{build} -leryx{flags}\n")


class Page:
    def __init__(self, path, eryx):
        self.path, self.eryx, self.build = path, eryx, eryx.parent
        self.passed, self.failures, self.not_run = 0, [], []
        self.server, self.files, self.prompt = None, {}, []
        self.used = []  # commands and files, which may name a file

    def check(self, line, good, problem):
        if good:
            self.passed += 1
        else:
            self.failures.append(f"{self.path.relative_to(ROOT)}:{line}: {problem}")

    def url(self):
        if not self.server:
            self.server = subprocess.Popen([self.eryx, "serve", "--listen", "127.0.0.1:0"],
                                           stderr=subprocess.PIPE, text=True, env=self.environment)
            self.address = self.server.stderr.readline().split()[-1]
        return self.address

    def shell(self, line, lines, server):
        environment = {**self.environment, **({"URL": self.url()} if server else {})}
        found = commands(lines)
        self.check(line, found, "a session without a command: lines that begin with `$ `")
        for command, expected in found:
            self.used.append(command)
            try:
                done = subprocess.run(["sh", "-c", command], cwd=self.folder, env=environment, text=True,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, timeout=TIMEOUT, errors="replace")
            except subprocess.TimeoutExpired:
                self.check(line, False, f"$ {command}\nnot done after {TIMEOUT} s")
                continue
            self.check(line, matches(expected, done.stdout),
                       f"$ {command}\n--- expected\n{expected}--- actual\n{done.stdout}")

    def json(self, line, text):
        try:
            value = json.loads(text)
        except ValueError as error:
            self.check(line, False, f"not JSON: {error}")
            return
        if "limits" not in value:
            self.check(line, True, "")
            return
        if "store" in value:
            value["store"]["directory"] = self.folder + "/store"
        path = Path(self.folder, "config.json")
        path.write_text(json.dumps(value))
        done = subprocess.run([self.eryx, "mcp", "--config", path], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=TIMEOUT)
        self.check(line, done.returncode == 0, f"eryx mcp refuses it: {done.stderr}")

    def doctest(self):
        """All prompts of the page are one session of the native Python."""
        if not self.prompt:
            return
        package = self.build / "python"
        if not (package / "eryx" / "_eryx.abi3.so").exists():
            self.not_run.append("the prompts: the Python binding is not in this build")
            return
        if "\nERYX_SANITIZE:STRING=\n" not in (self.build / "CMakeCache.txt").read_text():
            self.not_run.append("the prompts: a sanitizer's binding is what the suite python loads")
            return
        environment = {**self.environment, "PYTHONPATH": str(package)}
        done = subprocess.run([sys.executable, "-B", "-c", DOCTEST, self.path.name], cwd=self.folder,
                              input="\n".join(self.prompt) + "\n", env=environment, text=True,
                              capture_output=True, timeout=TIMEOUT)
        last = re.search(r"(\d+) (\d+)\n\Z", done.stderr)
        good, bad = (int(last[1]), int(last[2])) if last else (0, 1)
        self.passed += good
        self.check(1, not bad and good, f"the prompts of Python:\n{done.stdout}{done.stderr}")

    def block(self, line, info, lines):
        language, _, rest = info.partition(" ")
        if rest.startswith("not run:"):
            why = rest.removeprefix("not run:").strip()
            self.check(line, why, "a block that is not run says why")
            self.not_run.append(f"{line}: {why}")
        elif language == "console" and rest in ("", "server"):
            self.shell(line, lines, rest == "server")
        elif re.fullmatch(r"[\w-]+\.[\w.]+", rest):
            text = "\n".join(lines) + "\n"
            Path(self.folder, rest).write_text(text)
            self.files[rest] = line
            self.used.append(text)
        elif info == "json":
            self.json(line, "\n".join(lines))
        elif info == "python" and lines and lines[0].startswith(">>> "):
            self.prompt += ["", *lines]
        else:
            self.check(line, False, f"the block ```{info} would not be run: see tests/docs/samples.py")

    def links(self, text):
        for number, line in enumerate(text.split("\n"), 1):
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                if not re.match(r"[a-z]+:|#", target):
                    exists = (self.path.parent / target.split("#")[0]).exists()
                    self.check(number, exists, f"the link to {target} leads nowhere")

    def set_up(self):
        self.folder = f"{self.temp}/work"
        for name in ("work", "home", "pkgconfig"):
            Path(self.temp, name).mkdir()
        Path(self.temp, "pkgconfig/eryx.pc").write_text(package_file(self.build))
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith(("ERYX_", "XDG_"))}
        self.environment.update(PATH=f"{self.build}:{os.environ['PATH']}", LC_ALL="C.UTF-8",
                                HOME=f"{self.temp}/home", ERYX_TOKEN=TOKEN, LD_LIBRARY_PATH=str(self.build),
                                PKG_CONFIG_PATH=f"{self.temp}/pkgconfig")

    def run(self):
        text = self.path.read_text()
        with tempfile.TemporaryDirectory(prefix="eryx-docs-") as self.temp:
            self.set_up()
            try:
                for line, info, lines in blocks(text):
                    self.block(line, info, lines)
                self.doctest()
            finally:
                if self.server:
                    self.server.terminate()
                    self.server.communicate(timeout=TIMEOUT)
        for name, line in self.files.items():
            self.check(line, any(name in text for text in self.used), f"no command uses {name}")
        for number in indented(text):
            self.check(number, False, "a block without a fence is not run: give it one")
        self.links(text)
