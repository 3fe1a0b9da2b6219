"""Forks and checkpoints, at rest and in the middle of an await."""
import asyncio

import eryx
import pytest


def test_forks_are_independent():
    with eryx.Sandbox() as sandbox:
        sandbox.execute("names = ['a']\nopen('/tmp/f', 'w').write('x')")
        first, second = sandbox.fork(2)
        first.execute("names.append('b')")
        assert first.execute("names").value == ["a", "b"]
        assert second.execute("[names, open('/tmp/f').read()]").value == [["a"], "x"]
        assert sandbox.execute("names").value == ["a"]
        first.close()
        assert second.execute("1").value == 1
    assert second.execute("2").value == 2


def test_forks_have_the_options_of_their_parent():
    calls, seen = [], []

    def note(what: str) -> int:
        calls.append(what)
        return len(calls)
    with eryx.Sandbox(callbacks=[note], environ={"A": "1"}, timeout=20,
                      on_output=lambda stream, text: seen.append(text)) as sandbox:
        [fork] = sandbox.fork()
        assert fork.execute("import os\nprint('hi')\n[note('fork'), os.environ['A']]").value == [1, "1"]
        assert sandbox.execute("note('parent')").value == 2
    assert (calls, "".join(seen)) == (["fork", "parent"], "hi\n")


def test_fork_in_the_middle_of_an_await():
    """The copy's pending call comes to the callback as one of its own."""
    async def main():
        asked: asyncio.Queue = asyncio.Queue()

        async def ask(question: str) -> str:
            answer = asyncio.get_running_loop().create_future()
            await asked.put(answer)
            return await answer
        async with eryx.Session(callbacks=[ask]) as session:
            task = asyncio.create_task(session.execute("n = 1\nreply = await ask('who')\n[n, reply]"))
            first = await asked.get()
            [copy] = await session.fork()
            assert copy.waiting and not session.waiting
            other = asyncio.create_task(copy.resume())
            second = await asked.get()
            first.set_result("parent")
            second.set_result("copy")
            assert (await task).value == [1, "parent"]
            assert (await other).value == [1, "copy"]
            assert not copy.waiting
            assert (await copy.execute("reply")).value == "copy"
            with pytest.raises(eryx.StateError, match="no program waits"):
                await copy.resume()
            await copy.close()
    asyncio.run(asyncio.wait_for(main(), 60))


def test_checkpoints():
    with eryx.Sandbox() as sandbox:
        sandbox.execute("import random, re\nnoise = random.randbytes(1 << 20)\nclass C: pass\nc = C(); c.n = 1\npattern = re.compile('x+')")
        whole = sandbox.checkpoint()
        sandbox.execute("c.n += 1; f = (i for i in range(3)); next(f)")
        later = sandbox.checkpoint(incremental=True)
        assert len(later) < len(whole)
    with eryx.Sandbox.from_checkpoint(whole) as sandbox:
        assert sandbox.execute("[c.n, pattern.findall('xx y')]").value == [1, ["xx"]]
    with eryx.Sandbox.from_checkpoint([whole, later]) as sandbox:
        assert sandbox.execute("[c.n, next(f)]").value == [2, 1]


def test_checkpoint_in_the_middle_of_an_await():
    """It is resumed on another loop, with another callback, and cancelled here."""
    code = "async def main():\n    return [await ask('who'), await ask('what')]\nawait main()"

    async def save():
        asked = asyncio.Event()

        async def ask(question: str) -> str:
            asked.set()
            return await asyncio.get_running_loop().create_future()
        async with eryx.Session(callbacks=[ask]) as session:
            task = asyncio.create_task(session.execute(code))
            await asked.wait()
            data = await session.checkpoint()
            task.cancel()
            await asyncio.wait([task])
            return data

    async def go_on(data):
        async def ask(question: str) -> str:
            await asyncio.sleep(0)
            return question.upper()
        async with await eryx.Session.from_checkpoint(data, callbacks=[ask]) as session:
            assert session.waiting
            return (await session.resume()).value
    data = asyncio.run(asyncio.wait_for(save(), 60))
    assert asyncio.run(asyncio.wait_for(go_on(data), 60)) == ["WHO", "WHAT"]

    def ask(question: str) -> str:
        return question * 2
    with eryx.Sandbox.from_checkpoint(data, callbacks=[eryx.callback(ask, blocking=False)]) as sandbox:
        assert sandbox.resume().value == ["whowho", "whatwhat"]


def test_damaged_and_wrong_checkpoints():
    with eryx.Sandbox() as sandbox:
        data = sandbox.checkpoint()
        with pytest.raises(eryx.StateError, match="no program waits"):
            sandbox.resume()
    with pytest.raises(eryx.RuntimeFileError):
        eryx.Sandbox.from_checkpoint(data[:-1])
    with pytest.raises(eryx.RuntimeFileError):
        eryx.Sandbox.from_checkpoint(b"nonsense")
    with pytest.raises(TypeError, match="a part of a checkpoint must be bytes, not str"):
        eryx.Sandbox.from_checkpoint("text")
    with pytest.raises(eryx.ArgumentError):
        eryx.Sandbox.from_checkpoint([])
    with pytest.raises(TypeError, match="count must be int"):
        sandbox.fork("2")
    with pytest.raises(eryx.StateError, match="the sandbox is closed"):
        sandbox.fork()
    with pytest.raises(eryx.StateError, match="the sandbox is closed"):
        sandbox.checkpoint()


def test_fork_while_a_program_computes_is_refused():
    async def main():
        said = []
        async with eryx.Session(timeout=50, on_output=lambda stream, text: said.append(text)) as session:
            task = asyncio.create_task(session.execute("print('go', flush=True)\nwhile True: pass"))
            while not said:
                await asyncio.sleep(0)
            with pytest.raises(eryx.StateError, match="the program is running"):
                await session.fork()
            session.interrupt()
            await asyncio.wait([task])
            assert isinstance(task.exception(), eryx.InterruptedError)
    asyncio.run(main())
