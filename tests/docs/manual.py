"""Compares what `eryx help COMMAND` tells with docs/eryx.1 and docs/cli.md: options, subcommands, exit codes and
variables of the environment that one of them lacks, or that no longer exist."""
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIKE_RUN = re.compile(r"[Oo]ptions and exit codes are those of 'eryx run'")
OPTION = re.compile(r"^  (?:(-\w), )?(-\w|--[a-z][a-z-]*)", re.M)
SUBCOMMAND = re.compile(r"^(?:Usage:)? +eryx (\w+ [a-z][a-z+-]*)\b", re.M)
EXIT_CODE = re.compile(r"^  (\d+) {2,}", re.M)


def help_of(eryx, *names):
    return subprocess.run([eryx, "help", *names], capture_output=True, text=True, check=True).stdout


def options_of(text):
    """The options that a help text explains."""
    part = text.split("\nOptions:\n")[1] if "\nOptions:\n" in text else ""
    part = part.split("\n\n")[0]
    return {name for match in OPTION.finditer(part) for name in match.groups() if name} - {"--"}


def sections(text, heading):
    """{command: its section} of a page; heading finds the beginning of a command's section."""
    found, starts = {}, list(re.finditer(heading, text, re.M))
    for match in starts:
        rest = text[match.end():]
        level = re.escape(match[0].split(" ")[0])
        end = re.search(rf"^(?:{level}|\.Sh) ", rest, re.M)
        for name in re.findall(r"eryx (\w+)", match[0]):
            found[name] = rest[:end.start()] if end else rest
    return found


def manual_options(text):
    """Options with an entry of their own in a section of the manual page."""
    entries = re.findall(r"^\.It (Fl .*)$", text, re.M)
    return {"-" + name for entry in entries for name in re.findall(r"Fl (-?[A-Za-z][\w-]*)", entry)}


def page_options(text):
    """Options at the beginning of a table's row."""
    rows = re.findall(r"^\| (`-[^|]*) \|", text, re.M)
    return {name for row in rows for name in re.findall(r"(?:`|, )(-{1,2}[a-z][a-z-]*)", row)}


def differences(where, name, told, there):
    for option in sorted(told - there):
        yield f"{where}: the option {option} of eryx {name} is missing"
    for option in sorted(there - told):
        yield f"{where}: eryx {name} has no option {option}"


def check(eryx):
    """(good comparisons, failures)."""
    manual = (ROOT / "docs" / "eryx.1").read_text()
    page = (ROOT / "docs" / "cli.md").read_text()
    overview = help_of(eryx)
    names = re.findall(r"^  (\w+)  ", overview.split("Commands:")[1].split("Options:")[0], re.M)
    places = [("docs/eryx.1", manual, sections(manual, r"^\.Ss eryx .*$"), manual_options),
              ("docs/cli.md", page, sections(page, r"^## eryx .*$"), page_options)]
    good, failures = 0, [] if len(names) > 5 else ["eryx help lists no commands"]
    for name in names:
        text = help_of(eryx, name)
        told = options_of(text) - {"-h", "--help"}
        for where, whole, parts, find in places:
            if name not in parts:
                failures.append(f"{where}: there is no section `eryx {name}`")
                continue
            found = list(differences(where, name, told, find(parts[name])))
            if LIKE_RUN.search(" ".join(text.split())) and "eryx run" not in parts[name].replace(
                    ".Cm ", "eryx "):
                found.append(f"{where}: eryx {name} has the options of eryx run: say so")
            found += [f"{where}: {sub} is missing" for sub in sorted(set(SUBCOMMAND.findall(text.split("\n\n")[0])))
                      if sub not in re.sub(r"[`.]|Cm ", "", parts[name])]
            found += [f"{where}: {variable} is missing" for variable in
                      sorted(set(re.findall(r"\b(?:ERYX|XDG)_[A-Z_]+\b", text)))
                      if variable not in whole]
            codes = EXIT_CODE.findall(text.split("\nExit codes:\n")[-1]) if "Exit codes:" in text else []
            found += [f"{where}: the exit code {code} of eryx {name} is missing" for code in codes
                      if not re.search(rf"\b{code}\b", whole)]
            failures += found
            good += not found
    return good, failures


def check_markup():
    """(good, failures, reasons why it was not done): groff warns of nothing in the manual page."""
    if not shutil.which("groff"):
        return 0, [], ["docs/eryx.1: groff is not installed"]
    done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", "-z", ROOT / "docs" / "eryx.1"],
                          capture_output=True, text=True)
    bad = done.stderr.strip()
    return int(not bad), [f"groff: {bad}"] if bad else [], []
