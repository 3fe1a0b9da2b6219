"""profile=: where the time of programs goes."""
import asyncio
import json
import re
import threading

import eryx
import pytest

HOT = """def hot(n):
    total = 0
    for i in range(n):
        total += i * i
    return total

class Work:
    def do(self):
        return hot(100_000)

for i in range(8):
    Work().do()
"""


def data_of(profile):
    return json.loads(re.search(r'id="data">(.*?)</script>', profile.html(), re.S)[1])


def test_functions_and_lines():
    profile = eryx.Profile()
    eryx.run(HOT, profile=profile, filename="hot.py")
    assert profile.samples > 20 and profile.executions == 1
    hottest = profile.functions[0]
    assert (hottest.name, hottest.file, hottest.line) == ("hot", "hot.py", 1)
    assert hottest.self_time > 0.8 * profile.cpu_time
    module = next(f for f in profile.functions if f.name == "<module>")
    assert module.total_time > 0.8 * profile.cpu_time > module.self_time
    assert (profile.lines[0].line, profile.lines[0].text) == (4, "total += i * i")
    assert sum(line.samples for line in profile.lines) == profile.samples


def test_recursion_counts_once():
    profile = eryx.Profile()
    eryx.run("def deep(n):\n    return n and deep(n - 1)\nfor _ in range(3000): deep(150)", profile=profile)
    deep = next(f for f in profile.functions if f.name == "deep")
    assert deep.total_time <= profile.cpu_time * 1.001


def test_lines_of_files_in_the_sandbox():
    profile = eryx.Profile()
    tree = eryx.Tree({"work.py": "def spin(n):\n    while n:\n        n -= 1\n"})
    eryx.run("import sys; sys.path.append('/lib2'); import work; work.spin(2_000_000)", profile=profile,
             mounts={"/lib2": tree})
    assert {line.text for line in profile.lines if line.file == "/lib2/work.py"} >= {"n -= 1"}


def test_no_file_of_this_machine_is_shown(tmp_path):
    path = tmp_path / "private.py"
    path.write_text("private = 1\n" * 10)
    profile = eryx.Profile()
    eryx.run(f"exec(compile('n = 2_000_000\\nwhile n: n -= 1', {str(path)!r}, 'exec'))", profile=profile)
    assert any(line.file == str(path) for line in profile.lines)
    assert "private = 1" not in profile.html()


def test_page(tmp_path):
    evil = "</script><script>alert(1)</script><!--&"
    profile = eryx.Profile()
    eryx.run(f"code = compile('n = 2_000_000\\nwhile n: n -= 1', {evil!r}, 'exec')\n"
             f"exec(code.replace(co_qualname={evil!r}))", profile=profile)
    data = data_of(profile)
    assert [evil, evil, 1] in data["functions"]
    assert profile.html().count("</script>") == 2
    assert data["outcome"] == "ok" and data["program"] == "<eryx>" and data["samples"] == profile.samples
    assert all(parent < number for number, (parent, *_) in enumerate(data["nodes"], 1))
    out = tmp_path / "out.html"
    profile.write(out)
    assert out.read_text() == profile.html()
    with pytest.raises(FileNotFoundError):
        profile.write(tmp_path / "no/out.html")
    with pytest.raises(IsADirectoryError):
        profile.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["out.html"]


def test_calls():
    profile = eryx.Profile()

    def good(n: int) -> int:
        return n

    def bad() -> None:
        raise LookupError
    eryx.run("good(1)\ntry: bad()\nexcept Exception: pass", profile=profile, callbacks=[good, bad])
    assert [(call.name, call.how) for call in profile.calls] == [("good", "returned"), ("bad", "failed")]
    assert all(0 <= call.made <= call.began <= call.ended for call in profile.calls)


def test_sessions_share_a_profile():
    profile = eryx.Profile()

    async def slow(n: int) -> int:
        await asyncio.sleep(0.05)
        return n

    async def endless() -> None:
        await asyncio.Event().wait()

    async def one(n):
        async with eryx.Session(callbacks=[slow, endless], profile=profile) as session:
            await session.execute(HOT + f"await slow({n})\nimport asyncio\n"
                                        "try: await asyncio.wait_for(endless(), 0.01)\n"
                                        "except TimeoutError: pass")
            [copy] = await session.fork()
            async with copy:
                await copy.execute(HOT)

    async def main():
        await asyncio.gather(*[one(n) for n in range(3)])
    asyncio.run(main())
    assert profile.executions == 6
    assert sorted((call.name, call.how) for call in profile.calls) == \
        [("endless", "cancelled")] * 3 + [("slow", "returned")] * 3
    assert all(call.ended - call.began >= 0.049 for call in profile.calls if call.name == "slow")
    assert data_of(profile)["program"] == "6 executions"


def test_threads_share_a_profile():
    profile = eryx.Profile(interval=0.0005)

    def one():
        eryx.run(HOT, profile=profile)
    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert profile.functions[0].name == "hot"
    assert sum(f.samples for f in profile.functions) == profile.samples


def test_however_it_ends():
    for code, timeout, outcome in (("while True: pass", 0.3, "limit"),
                                   ("for i in range(2_000_000): pass\n1 / 0", 60, "exception"),
                                   ("for i in range(2_000_000): pass\nimport os; os.abort()", 60, "trap")):
        profile = eryx.Profile()
        eryx.run(code, profile=profile, timeout=timeout, check=False)
        assert data_of(profile)["outcome"] == outcome
        assert profile.samples > 5 and profile.lines


def test_a_program_that_its_host_interrupts():
    """What was gathered until then is there, with the exception of a handler."""
    profile = eryx.Profile()

    def on_output(stream, text):
        raise KeyError("enough")
    with pytest.raises(KeyError):
        eryx.run(HOT + "print('x')\nwhile True: pass", profile=profile, on_output=on_output)
    assert profile.functions[0].name == "hot" and profile.lines[0].text


def test_what_programs_make_up_is_bounded(monkeypatch):
    from eryx import _profile
    monkeypatch.setattr(_profile, "FUNCTIONS_MAX", 20)
    profile = eryx.Profile()
    eryx.run("spin = compile('n = 0\\nwhile n < 50_000: n += 1', '<f>', 'exec')\n"
             "for i in range(60):\n"
             "    exec(spin.replace(co_qualname=str(i) + 'x' * 100_000, co_filename='\\ud800' * 5 + str(i)))",
             profile=profile)
    assert len(profile.functions) <= 20
    assert all(len(f.name) <= 255 for f in profile.functions)
    assert data_of(profile)["samples_cut"] > 0
    assert sum(f.samples for f in profile.functions) <= profile.samples


@pytest.mark.parametrize("threads", [0, 2])
def test_with_any_number_of_threads(threads):
    eryx.set_loop_threads(threads)
    try:
        profile = eryx.Profile()
        asyncio.run(eryx.run_async(HOT, profile=profile))
    finally:
        eryx.set_loop_threads(2)
    assert profile.functions[0].name == "hot"


def test_wrong_values():
    with pytest.raises(TypeError, match="profile must be Profile, not str"):
        eryx.run("1", profile="out.html")
    for interval in (0, 0.00001, 61):
        with pytest.raises(ValueError, match="must be between 0.0001 and 60"):
            eryx.Profile(interval=interval)
    with pytest.raises(TypeError, match="interval must be seconds"):
        eryx.Profile(interval="1")
