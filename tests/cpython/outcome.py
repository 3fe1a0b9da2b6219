"""What became of one file of CPython's tests: read from the lines that guest.py writes."""
import json
from dataclasses import dataclass, field

MARK = "\x1eeryx "


@dataclass
class File:
    name: str
    passed: int = 0
    skipped: int = 0
    failures: dict = field(default_factory=dict)  # test: reason
    crashes: dict = field(default_factory=dict)   # the same of tests in which the sandbox ended
    skips: list = field(default_factory=list)     # reasons
    left_out: set = field(default_factory=set)    # patterns that tests matched
    seconds: float = 0
    module_reason: str = ""
    host_harmed: str = ""                         # must stay empty: eryx itself died or hung

    @property
    def status(self):
        if self.host_harmed or self.crashes:
            return "crashed"
        if self.failures:
            return "failed"
        return "passed" if self.passed else "skipped"

    def to_json(self):
        return {"name": self.name, "status": self.status, "seconds": round(self.seconds, 1),
                "passed": self.passed, "skipped": self.skipped,
                "failures": self.failures, "crashes": self.crashes,
                "skip_reasons": sorted(set(self.skips)), "reason": self.module_reason,
                "host_harmed": self.host_harmed}


def short_id(file, test):
    """test.test_os.FileTests.test_read -> FileTests.test_read; setUpClass (...) likewise."""
    kind, bracket, inner = test.partition(" (")
    prefix = f"test.{file}."
    if bracket:
        return f"{kind} ({inner.removeprefix(prefix)}"
    return test.removeprefix(prefix)


def read(file, output):
    """Adds what a run wrote to `file`: (id of the test that was running or '', whether it was done)."""
    running, done = "", False
    for line in output.split("\n"):
        if not line.startswith(MARK):
            continue
        try:
            said = json.loads(line[len(MARK):])
        except ValueError:  # a test wrote into our line
            continue
        if "left_out" in said:
            file.left_out.add(said["left_out"])
        elif "start" in said:
            running = said["start"]
        elif "test" in said:
            test = short_id(file.name, said["test"])
            running = "" if said["test"] == running else running
            if said["result"] == "passed":
                file.passed += 1
            elif said["result"] == "skipped":
                file.skipped += 1
                file.skips.append(said["reason"])
            else:
                file.failures[test] = said["reason"]
        elif said.get("module") == "skipped":
            file.module_reason = said["reason"]
            file.skips.append(said["reason"])
        elif said.get("module") == "failed":
            file.failures["(import)"] = said["reason"]
            file.module_reason = said["reason"]
        done = done or "done" in said
    return running, done
