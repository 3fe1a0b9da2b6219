#!/usr/bin/env python3
"""`eryx run --profile`: tests/cli/test_profile.py --eryx PROGRAM [TEST ...]"""
import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from suite import eryx, main

HOT = """def hot(n):
    total = 0
    for i in range(n):
        total += i * i
    return total

def cold(n):
    return sum(range(n))

class Work:
    def do(self):
        return hot(400_000)

for i in range(12):
    Work().do()
    cold(1000)
"""

# Enough of a page for its script: texts are kept as texts, and nothing else can be set.
DOM = """
const elements = [];
function element(tag) {
  const self = { tag, style: {}, children: [], className: "", title: "", value: "", text: "",
    append(...items) { for (const item of items) this.children.push(item); },
    set textContent(text) { this.text = String(text); this.children = []; },
    get textContent() { return this.text; } };
  self.parentNode = { append() {} };
  for (const name of ["innerHTML", "outerHTML"])
    Object.defineProperty(self, name, { set() { throw new Error(name + " is set"); } });
  elements.push(self);
  return self;
}
const known = {};
globalThis.document = { title: "",
  getElementById: id => id === "data" ? { textContent: DATA } : (known["#" + id] ??= element(id)),
  querySelector: selector => known[selector] ??= element(selector),
  createElement: element };
SCRIPT
known["input"].value = "hot";
known["input"].oninput();
for (const e of [...elements]) { if (e.onclick) e.onclick(); if (e.onmouseenter) e.onmouseenter(); }
console.log(JSON.stringify(elements.map(e => e.text)));
"""


class Profile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="eryx-profile-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, *arguments, **options):
        return subprocess.run([eryx(), "run", "--profile", "out.html", *arguments], cwd=self.folder,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)

    def read(self):
        page = (self.folder / "out.html").read_text()
        return json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1]), page

    def profile(self, code, *arguments, status=0, error=""):
        (self.folder / "program.py").write_text(code)
        done = self.start(*arguments, "program.py")
        self.assertEqual(done.returncode, status, done.stderr)
        if status == 0:
            self.assertEqual(done.stderr, error)
        return self.read()[0]

    def share(self, data, name):
        """Of the sampled time, what was spent in functions of this name themselves."""
        mine = sum(us for _, function, us, _ in data["nodes"] if data["functions"][function][0] == name)
        return mine / sum(node[2] for node in data["nodes"])

    def test_hot_function(self):
        data = self.profile(HOT)
        self.assertGreater(data["samples"], 20)
        self.assertGreater(self.share(data, "hot"), 0.8)
        function, line, us, samples, text = data["lines"][0]
        self.assertEqual((data["functions"][function], line, text),
                         (["hot", "program.py", 1], 4, "total += i * i"))
        stack, node = [], max(data["nodes"], key=lambda node: node[2])
        while node:
            stack.append(data["functions"][node[1]][0])
            node = data["nodes"][node[0] - 1] if node[0] else None
        self.assertEqual(stack, ["hot", "Work.do", "<module>"])
        self.assertEqual((data["outcome"], data["program"]), ("ok", "program.py"))
        self.assertLess(abs(data["cpu_us"] - data["sampled_us"]), 0.5 * data["cpu_us"])

    def test_library(self):
        """Lines of the standard library come from the sandbox."""
        data = self.profile("import textwrap\nfor _ in range(300): textwrap.fill('some words ' * 200)\n")
        texts = {text for f, _, _, _, text in data["lines"]
                 if data["functions"][f][1] == "/lib/python3.14/textwrap.py"}
        self.assertTrue(any("=" in text for text in texts), data["lines"])

    def test_timeline(self):
        (self.folder / "calls.json").write_text(json.dumps([
            {"name": "slow", "command": ["sh", "-c", "read -r n; sleep 0.3; echo 1"]},
            {"name": "broken", "command": ["sh", "-c", "echo no >&2; exit 1"]},
            {"name": "endless", "command": ["sleep", "100"]}]))
        data = self.profile(
            "import asyncio\n"
            "async def main():\n"
            "    await asyncio.gather(*[slow(n=i) for i in range(3)])\n"
            "    try: await broken()\n"
            "    except Exception: pass\n"
            "    try: await asyncio.wait_for(endless(), 0.05)\n"
            "    except TimeoutError: pass\n"
            "asyncio.run(main())\n", "--callbacks", "calls.json")
        self.assertEqual([(call[0], call[4]) for call in data["calls"]],
                         [("slow", "returned")] * 3 + [("broken", "failed"), ("endless", "cancelled")])
        slow = data["calls"][:3]
        self.assertLess(max(call[1] for call in slow), min(call[3] for call in slow))  # they overlap
        for _, made, began, ended, _ in data["calls"]:
            self.assertTrue(0 <= made <= began <= ended <= data["wall_us"] + 1_000_000, data["calls"])
        self.assertTrue(all(call[3] - call[2] >= 290_000 for call in slow), slow)

    def test_ends(self):
        """However the program ends, the page is there."""
        for code, arguments, status, outcome in (
                ("while True: pass", ["--timeout", "300ms"], 124, "limit"),
                ("for i in range(3000000): pass\n1 / 0", [], 1, "exception"),
                ("for i in range(3000000): pass\nraise SystemExit(3)", [], 3, "exit"),
                ("for i in range(3000000): pass\nimport os; os.abort()", [], 126, "trap")):
            data = self.profile(code, *arguments, status=status)
            self.assertEqual(data["outcome"], outcome)
            self.assertGreater(data["samples"], 5, code)

    def test_one_long_operation(self):
        """C code that never comes back has no sample; its time is not given to anybody else."""
        data = self.profile("import re\nre.match('(a+)+b', 'a' * 40)", "--timeout", "500ms", status=124)
        self.assertLess(data["sampled_us"], 0.5 * data["cpu_us"])

    def test_waiting(self):
        data = self.profile("import time\ntime.sleep(0.3)")
        self.assertLess(data["cpu_us"], 0.8 * data["wall_us"])

    def test_deep(self):
        data = self.profile("def deep(n):\n    return n and deep(n - 1)\n"
                            "for _ in range(3000): deep(900)\n")
        self.assertIn("(frames further out)", [function[0] for function in data["functions"]])

    def test_many_functions(self):
        """What the program makes up is bounded."""
        data = self.profile(
            "import time\n"
            "spin = compile('n = 0\\nwhile n < 4000: n += 1', '<f>', 'exec')\n"
            "end, i = time.monotonic() + 0.5, 0\n"
            "while time.monotonic() < end:\n"
            "    i += 1\n"
            "    exec(spin.replace(co_qualname='x' * 100_000 + str(i), co_filename='\\ud800' * 5 + str(i)))\n")
        self.assertLess((self.folder / "out.html").stat().st_size, 5_000_000)
        self.assertTrue(all(len(name) <= 255 for name, _, _ in data["functions"]))

    def test_hostile_texts(self):
        evil = "</script><script>alert(1)</script><!--"
        data = self.profile(
            f"code = compile('n = 0\\nwhile n < 2000000: n += 1', {evil!r}, 'exec')\n"
            f"exec(code.replace(co_qualname={evil!r}))\n"
            f"text = {evil!r}; n = 0\n"
            f"while n < 3000000: n += 1  # {evil}\n")
        self.assertIn([evil, evil, 1], data["functions"])
        self.assertTrue(any(evil in line[4] for line in data["lines"]), data["lines"])
        page = self.read()[1]
        self.assertNotIn("alert(1)<", page)
        self.assertEqual(page.count("</script>"), 2)
        self.assertNotRegex(page, r"https?://|innerHTML|document\.write")

    @unittest.skipUnless(shutil.which("node"), "node is not there to run the page's script")
    def test_script(self):
        self.profile(HOT)
        page = self.read()[1]
        found = re.findall(r"<script[^>]*>(.*?)</script>", page, re.S)
        (self.folder / "page.js").write_text(
            DOM.replace("SCRIPT", found[1]).replace("DATA", json.dumps(found[0]), 1))
        done = subprocess.run(["node", "page.js"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        texts = json.loads(done.stdout)
        for text in ("Profile of program.py", "Work.do", "total += i * i"):
            self.assertTrue(any(text in shown for shown in texts), text)

    def test_unwritable(self):
        for path, reason in (("no/such/out.html", "No such file or directory"), (".", "Is a directory")):
            done = subprocess.run([eryx(), "run", "--profile", path, "-c", "print('not run')"],
                                  cwd=self.folder, capture_output=True, text=True)
            self.assertIn(reason, done.stderr + done.stdout)
            self.assertEqual((done.returncode, done.stdout), (125, ""))
            self.assertEqual(done.stderr, f"eryx: cannot write {path}: {reason} (--profile)\n")
        done = subprocess.run([eryx(), "run", "--profile", "/dev/full", "-c", "pass"],
                              cwd=self.folder, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr),
                         (125, "eryx: cannot write /dev/full: No space left on device (--profile)\n"))

    def test_old_file_stays(self):
        """A file that was there is replaced whole, or left as it was."""
        out = self.folder / "out.html"
        out.write_text("old")
        process = subprocess.Popen([eryx(), "run", "--profile", "out.html", "-c",
                                    "print('on', flush=True)\nwhile True: pass"],
                                   cwd=self.folder, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGTERM)
        self.assertEqual(out.read_text(), "old")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["out.html"])
        self.assertEqual(self.start("-c", "pass").returncode, 0)
        self.assertIn("<title>", out.read_text())

    def test_resume(self):
        first = subprocess.run([eryx(), "run", "--checkpoint", "job", "--checkpoint-waiting", "-c",
                                "import time, asyncio\nawait asyncio.sleep(0.05)\n" + HOT],
                               cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(first.returncode, 75, first.stderr)
        done = subprocess.run([eryx(), "resume", "--profile", "out.html", "job"], cwd=self.folder,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(self.share(self.read()[0], "hot"), 0.8)


if __name__ == "__main__":
    main()
