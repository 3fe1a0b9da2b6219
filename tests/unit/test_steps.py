#!/usr/bin/env python3
"""toolchain/steps.py: results are cached by content, failures leave nothing behind."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "toolchain"))
from steps import Join, Out, Runner, Step, StepFailed, publish  # noqa: E402


class Steps(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        self.source = self.root / "source"
        self.source.write_text("one")

    def runner(self):
        runner = Runner(self.root, self.root / "cache", 2, False)
        runner.say = lambda line: None
        return runner

    def chain(self, script="cat $0 > $1"):
        copy = Step("copy", ["sh", "-c", script, self.source, Out("copied")])
        twice = Step("twice", ["sh", "-c", "cat ${0#in=} $1 > $2", Join("in=", copy["copied"]),
                               copy["copied"], Out("doubled")])
        return [copy, twice]

    def text(self, steps):
        return steps[-1].results["doubled"][0].read_text()

    def test_only_what_changed_runs(self):
        steps = self.chain()
        self.assertEqual(self.runner().run(steps), 2)
        self.assertEqual(self.text(steps), "oneone")
        self.assertEqual(self.runner().run(self.chain()), 0)
        self.source.write_text("two")
        steps = self.chain()
        self.assertEqual(self.runner().run(steps), 2)
        self.assertEqual(self.text(steps), "twotwo")
        self.source.write_text("one")
        self.assertEqual(self.runner().run(self.chain()), 0)

    def test_same_result_stops_the_chain(self):
        self.runner().run(self.chain())
        self.assertEqual(self.runner().run(self.chain("printf one > $1")), 1)

    def test_failure_leaves_nothing(self):
        with self.assertRaises(StepFailed) as caught:
            self.runner().run(self.chain("echo half > $1; echo reason >&2; exit 3"))
        self.assertIn("'copy' failed: status 3", str(caught.exception))
        self.assertIn("reason", str(caught.exception))
        self.assertEqual(list((self.root / "cache").iterdir()), [])

    def test_missing_output_and_program(self):
        with self.assertRaisesRegex(StepFailed, "did not write copied"):
            self.runner().run(self.chain("true"))
        with self.assertRaisesRegex(StepFailed, "cannot run /nonexistent"):
            self.runner().run([Step("lost", ["/nonexistent", Out("x")])])
        self.source.unlink()
        with self.assertRaisesRegex(StepFailed, "cannot read .*source"):
            self.runner().run(self.chain())

    def test_damaged_cache_is_made_again(self):
        steps = self.chain()
        self.runner().run(steps)
        steps[0].results["copied"][0].unlink()
        self.assertEqual(self.runner().run(self.chain()), 1)

    def test_publish_replaces(self):
        target = self.root / "out" / "file"
        for text in ("one", "two", "two"):
            self.source.write_text(text)
            steps = self.chain()
            self.runner().run(steps)
            publish(steps[1].results["doubled"], target)
            self.assertEqual(target.read_text(), text * 2)
        self.assertEqual([path.name for path in target.parent.iterdir()], ["file"])


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=0)
    failed = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(bool(failed))
