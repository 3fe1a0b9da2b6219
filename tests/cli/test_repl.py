#!/usr/bin/env python3
"""`eryx repl` on a pseudo-terminal: tests/cli/test_repl.py --eryx PROGRAM [TEST ...]"""
import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from suite import eryx, main
from terminal import Terminal


class Repl(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="eryx-repl-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start(self, *options, **environment):
        terminal = Terminal([str(eryx()), "repl", *options], self.folder, **environment)
        terminal.expect(r"Python 3\.14\.\d+ in a sandbox.*>>> $")
        return terminal

    def finish(self, terminal, code=0):
        terminal.type("\x04")
        self.assertEqual(terminal.end(), code)

    def test_values_and_names(self):
        t = self.start()
        t.run("6 * 7", r"\n42\n")
        t.run("x = _ + 1", "")
        t.run("x, 'ä€😀'", r"\n\(43, 'ä€😀'\)\n")
        t.run("print('open', end='')", r"\nopen\n")
        self.finish(t)

    def test_lines(self):
        t = self.start()
        t.type("def double(n):\n")
        t.expect(r"\.\.\. $")
        t.type("\tn * 2\x01    \x05\n")  # Tab indents; Home and End move
        t.expect(r"\.\.\. $")
        t.run("", "")
        t.run("double(4)", "")
        t.type("for i in (7, 8):\n")
        t.expect(r"\.\.\. $")
        t.type("    i\n")
        t.expect(r"\.\.\. $")
        t.run("", r"\n7\n8\n")
        t.type("'''two\n")
        t.expect(r"\.\.\. $")
        t.run("lines'''", r"'two\\nlines'")
        self.finish(t)

    def test_editing_and_history(self):
        t = self.start()
        t.run("value = 12", "")
        t.run("valxue\x1b[D\x1b[D\x1b[D\x04", r"\n12\n")  # back over "xue", delete "x"
        t.run("\x1b[A", r"\n12\n")
        self.finish(t)
        path = Path(self.folder, ".local/state/eryx/history")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        t = self.start()
        t.run("\x1b[A\x1b[A")
        t.run("value + 1", r"\n13\n")
        self.finish(t)

    def test_no_history(self):
        t = self.start("--no-history")
        t.run("secret = 1", "")
        self.finish(t)
        self.assertEqual(os.listdir(self.folder), [])

    def test_completion(self):
        t = self.start()
        t.run("thing_of_mine = type('Thing', (), {'alpha_one': 1, 'alpha_two': 22, 'beta': 3})()")
        t.run("thing_o\t.b\t * 2", r"\n6\n")
        t.type("thing_of_mine.al\t")
        t.expect("alpha_")
        t.type("\t")
        t.expect(r"alpha_one +alpha_two\n")
        t.run("tw\t", r"\n22\n")
        t.run("import xml.dom.minid\t as it")
        t.run("it.__name__", r"\n'xml.dom.minidom'\n")
        t.run("from json import JSONDecoder, JSONEnc\t as it")
        t.run("it", r"\n<class 'json.encoder.JSONEncoder'>\n")
        t.run("open('/tmp/abcdef', 'w').close()")
        t.run("open('/tmp/abc\t').name", r"\n'/tmp/abcdef'\n")
        self.finish(t)

    def test_completion_of_a_hostile_object(self):
        t = self.start()
        t.run("class_ = type('X', (), {'__getattr__': lambda self, name: print('seen') or 1 / 0,"
              " '__dir__': lambda self: 1 / 0}); x = class_()")
        t.type("x.a\t")
        t.run("\x15'still here'", r"'still here'")
        self.assertNotIn("seen\n", t.seen)
        self.finish(t)

    def test_await(self):
        t = self.start()
        t.run("import asyncio")
        t.run("await asyncio.sleep(0.01, 'slept')", r"\n'slept'\n")
        t.run("[await asyncio.sleep(0, n) for n in (5, 6)]", r"\n\[5, 6\]\n")
        t.run("asyncio.run(asyncio.sleep(0, 'ran'))", r"\n'ran'\n")
        self.finish(t)

    def test_tracebacks(self):
        t = self.start()
        t.run("1 / 0", r"Traceback \(most recent call last\):\n"
                       r'  File \x1b\[35m"<stdin>"\x1b\[0m, line \x1b\[35m1\x1b\[0m, in '
                       r"\x1b\[35m<module>\x1b\[0m\n    1 / 0\n    \x1b\[1;31m~~\^~~\x1b\[0m\n"
                       r"\x1b\[1;35mZeroDivisionError\x1b\[0m:\x1b\[35m division by zero\x1b\[0m\n")
        t.run("x = = 1", r"\x1b\[1;35mSyntaxError\x1b\[0m:")
        self.finish(t)
        t = self.start(NO_COLOR="1")
        t.run("1 / 0", r"\nZeroDivisionError: division by zero\n")
        self.finish(t)

    def test_interrupt_at_the_prompt(self):
        t = self.start()
        t.run("x = 5")
        t.type("this is no\x03")
        t.expect(r">>> $")
        t.type("def f():\n")
        t.expect(r"\.\.\. $")
        t.type("\x03")
        t.expect(r">>> $")
        t.run("x", r"\n5\n")
        self.finish(t)

    def test_interrupt_of_a_computation(self):
        t = self.start()
        t.run("x = [5]")
        t.type("print('go'); x.append(6)\nwhile True: x.append(7)\n\n")
        t.expect(r"\ngo\n.*\.\.\. \n")
        t.type("\x03")
        t.expect(r"eryx: interrupted\n.*>>> $")
        self.assertNotIn("names are gone", t.seen)
        t.run("x", r"\n\[5, 6\]\n")  # as before the loop
        self.finish(t)

    def test_interrupt_of_an_await_keeps_the_session(self):
        t = self.start()
        t.run("import asyncio; x = 5")
        t.type("print('go'); await asyncio.sleep(1000)\n")
        t.expect(r"\ngo\n")
        t.type("\x03")
        # Cancelled, or interrupted if it was not yet waiting.
        t.expect(r"(CancelledError|eryx: interrupted).*>>> $")
        t.run("x", r"\n5\n")
        self.finish(t)

    def test_interrupt_of_input(self):
        t = self.start()
        t.type("input('who ' + 'is? ')\n")
        t.expect(r"who is\? ")
        t.type("me\n")
        t.expect(r"'me'\n>>> $")
        t.type("input('who ' + 'is? ')\n")
        t.expect(r"who is\? ")
        t.type("\x03")
        t.expect(r">>> $")
        t.run("6 * 7", r"\n42\n")
        self.finish(t)

    def test_time_and_memory(self):
        t = self.start()
        t.run("%time sum(range(1000))", r"\n499500\nwall time [\d.]+ (us|ms)\n")
        t.run("big = bytes(100000)")
        t.run("%mem", r"1 names.*\n +1000\d\d  big \(bytes\)\n")
        self.finish(t)

    def test_save_and_load(self):
        t = self.start()
        t.run("x = {'a': [1, 2]}; g = iter(range(5)); next(g); open('kept', 'w').write('text')")
        t.run("%save here.eryx", r"saved in here.eryx, \d+\.\d MiB\n")
        t.run("%reset")
        t.run("x", "NameError")
        t.run("%load here.eryx", r"loaded here.eryx\n")
        t.run("x", r"\n\{'a': \[1, 2\]\}\n")
        t.run("%load nowhere", r"not loaded: nowhere: .*No such file")
        t.run("%load .", r"not loaded: .*\.")
        t.run("%load", r"%load needs FILE")
        t.run("%save /nowhere/x", r"not saved: .*/nowhere/x.*No such file")
        self.finish(t)
        t = self.start()
        t.run("%load here.eryx", "loaded")
        t.run("x['a'][1], next(g), open('kept').read()", r"\n\(2, 1, 'text'\)\n")
        Path(self.folder, "bad").write_bytes(b"no checkpoint")
        t.run("%load bad", "not loaded: ")
        t.run("x['a'][0]", r"\n1\n")
        self.assertEqual(sorted(os.listdir(self.folder)), [".local", "bad", "here.eryx"])
        self.finish(t)

    def test_commands(self):
        t = self.start()
        t.run("%help", r"%save +FILE")
        t.run("%rest", r"unknown command %rest; did you mean %reset\?")
        t.run("%reset now", r"%reset takes no argument")
        t.type("%quit\n")
        self.assertEqual(t.end(), 0)
        t = self.start()
        t.type("exit()\n")
        self.assertEqual(t.end(), 0)

    def test_exit_codes(self):
        t = self.start()
        t.type("raise SystemExit(7)\n")
        self.assertEqual(t.end(), 7)
        t = self.start()
        os.kill(t.pid, signal.SIGTERM)
        self.assertEqual(t.end(), 128 + signal.SIGTERM)

    def test_limits(self):
        t = self.start("--timeout", "100ms")
        t.run("import time; time.sleep(10)", r"eryx: .*wall time.*\n")
        t.run("6 * 7", r"\n42\n")
        self.finish(t)

    def test_size_of_the_terminal(self):
        t = self.start()
        t.resize(24, 40)
        t.run("print('" + "a" * 60 + "')", r"\na{60}\n")
        self.finish(t)


class Pipe(unittest.TestCase):
    def run_lines(self, text, *options):
        return subprocess.run([eryx(), "repl", *options], input=text, capture_output=True,
                              text=True, timeout=60)

    def test_inputs_from_a_pipe(self):
        done = self.run_lines("6 * 7\nfor i in 'ab':\n    i\n\nname = input()\nfrom the pipe\nname")
        self.assertEqual((done.stdout, done.stderr, done.returncode),
                         ("42\n'a'\n'b'\n'from the pipe'\n", "", 0))

    def test_an_error_does_not_end_it(self):
        done = self.run_lines("1 / 0\n2\nraise SystemExit(4)\n3\n")
        self.assertEqual((done.stdout, done.returncode), ("2\n", 4))
        self.assertIn("ZeroDivisionError: division by zero\n", done.stderr)
        self.assertNotIn("\x1b", done.stderr)

    def test_unfinished_input(self):
        done = self.run_lines("if True:\n    'ran'")
        self.assertEqual(done.stdout, "'ran'\n")

    def test_options(self):
        for options, message in ((["--color", "red"], "auto, always or never"),
                                 (["--timeout", "x"], "a duration is needed"),
                                 (["file.py"], "'eryx run' runs a program"),
                                 (["--colour", "always"], "did you mean '--color'?")):
            done = self.run_lines("", *options)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(message, done.stderr)


if __name__ == "__main__":
    main()
