#!/usr/bin/env python3
"""toolchain/progress.py: one line on a terminal, only what is said elsewhere."""
import io
import os
import pty
import subprocess
import sys
import unittest
from pathlib import Path

TOOL = Path(__file__).resolve().parent.parent.parent / "toolchain" / "progress.py"
sys.path.insert(0, str(TOOL.parent))
from progress import Progress, draw  # noqa: E402


class TestProgress(unittest.TestCase):
    def test_draw(self):
        self.assertEqual(draw("runtime", 10, 40, ["link", "opt"], 12.4, 100),
                         "runtime [#####               ] 10/40 link, opt 12 s")
        self.assertEqual(draw("deps", 0, 0, [], 3, 100), "deps 3 s")
        self.assertEqual(draw("x", 9, 3, ["a\x1b[2J"], 0, 30), "x [####################] 9/3 ")
        self.assertEqual(draw("x", 0, 0, ["a\x1b[2J\n"], 0, 30), "x a?[2J? 0 s")

    def test_plain(self):
        out = io.StringIO()
        with Progress("x", 2, out) as progress:
            with progress.step("one"):
                progress.say("a line")
        self.assertEqual((out.getvalue(), progress.done, progress.running), ("a line\n", 1, {}))

    def run_on_terminal(self, *command):
        parent, child = pty.openpty()
        process = subprocess.Popen([sys.executable, TOOL, "label", *command], stdout=child, stderr=child,
                                   stdin=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"})
        os.close(child)
        seen = b""
        while True:
            try:
                data = os.read(parent, 4096)
            except OSError:
                break
            if not data:
                break
            seen += data
        os.close(parent)
        return process.wait(), seen.decode().replace("\r\n", "\n")

    def test_terminal(self):
        status, seen = self.run_on_terminal("sh", "-c", "echo first; sleep 1; echo last; exit 3")
        self.assertEqual(status, 3)
        self.assertTrue(seen.startswith("first\n\r\x1b[Klabel "), seen)
        self.assertTrue(seen.endswith("\r\x1b[Klast\n"), seen)
        self.assertEqual(self.run_on_terminal("echo", "quick"), (0, "quick\n"))

    def test_no_terminal(self):
        done = subprocess.run([TOOL, "label", "sh", "-c", "echo one; sleep 0.8; exit 4"], capture_output=True,
                              text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (4, "one\n", ""))
        done = subprocess.run([TOOL, "label", "/no/such/program"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "progress: cannot run /no/such/program: No such file or directory\n"))


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=0)
    failed = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(bool(failed))
