#!/usr/bin/env python3
"""Progress of `eryx image build`: tests/cli/test_progress.py --eryx PROGRAM [TEST ...]"""
import subprocess
import tempfile
import unittest
from pathlib import Path

from suite import eryx, main
from terminal import Terminal


class Progress(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="eryx-progress-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "warm.py").write_text("import time\ntime.sleep(1.3)\nprint('done')\n")
        self.command = [eryx(), "image", "build", "-o", "warm.cwasm", "--code", "warm.py"]

    def test_terminal(self):
        terminal = Terminal(self.command, str(self.folder))
        terminal.expect(r"\[1/2\] running warm\.py 1 s")
        terminal.expect(r"done\n")
        self.assertEqual(terminal.end(), 0)
        self.assertTrue((self.folder / "warm.cwasm").exists())

    def test_no_terminal(self):
        done = subprocess.run(self.command, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "done\n", ""))


if __name__ == "__main__":
    main()
