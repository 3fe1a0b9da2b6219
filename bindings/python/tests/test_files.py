"""Files of a sandbox for the host."""
import asyncio

import eryx
import pytest


def test_reading_and_writing():
    with eryx.Sandbox() as sandbox:
        files = sandbox.files
        files.make_directory("/tmp/a/b", parents=True)
        files.write("/tmp/a/text", "z\u00e4h")
        files.write("/tmp/a/bytes", bytes(range(256)) * 1000)
        assert sandbox.execute("open('/tmp/a/text', encoding='utf-8').read()").value == "z\u00e4h"
        sandbox.execute("import os; os.symlink('text', '/tmp/a/link')")
        assert files.read("/tmp/a/bytes") == bytes(range(256)) * 1000
        assert files.read("/tmp/a/link") == "z\u00e4h".encode()
        listed = files.list("/tmp/a")
        assert listed == {"b": "directory", "text": "file", "bytes": "file", "link": "symlink"}
        assert (files.stat("/tmp/a/bytes").size, files.stat("/tmp/a").kind) == (256000, "directory")
        assert files.stat("/tmp/a/link").kind == "symlink"
        assert files.stat("/tmp/a/text").modified > 1_700_000_000
        files.remove("/tmp/a/text")
        with pytest.raises(eryx.Error):
            files.remove("/tmp/a")
        files.remove("/tmp/a", recursive=True)
        assert "a" not in files.list("/tmp")


def test_mistakes():
    with eryx.Sandbox() as sandbox:
        with pytest.raises(eryx.Error, match="(?i)no such file"):
            sandbox.files.read("/tmp/missing")
        with pytest.raises(eryx.ArgumentError):
            sandbox.files.read("relative")
        sandbox.files.write("/tmp/x", "12345")
        with pytest.raises(eryx.HostLimitError):
            sandbox.files.read("/tmp/x", max_bytes=4)
        assert sandbox.files.read("/tmp/x", max_bytes=5) == b"12345"
        with pytest.raises(TypeError, match="path must be str, not bytes"):
            sandbox.files.read(b"/tmp/x")
        with pytest.raises(TypeError, match="data must be str or bytes"):
            sandbox.files.write("/tmp/x", 3)
        with pytest.raises(ValueError, match="null"):
            sandbox.files.read("/tmp/\0")
    with pytest.raises(eryx.StateError, match="the sandbox is closed"):
        sandbox.files.list("/tmp")


def test_sessions(tmp_path):
    async def main():
        async with eryx.Session(mounts={"/data": eryx.Mount(tmp_path, "rw")}) as session:
            await session.files.write("/data/x", "1")
            assert (tmp_path / "x").read_text() == "1"
            assert await session.files.list("/data") == {"x": "file"}
            assert await session.files.read("/data/x") == b"1"
            await session.files.make_directory("/data/d")
            await session.files.remove("/data/d")
            assert (await session.files.stat("/data/x")).size == 1
    asyncio.run(main())


def test_not_while_a_program_runs():
    async def main():
        async with eryx.Session(timeout=50) as session:
            task = asyncio.create_task(session.execute("while True: pass"))
            while not session.executing:
                await asyncio.sleep(0)
            with pytest.raises(eryx.StateError, match="executing already"):
                await session.files.list("/tmp")
            session.interrupt()
            await asyncio.wait([task])
            assert isinstance(task.exception(), eryx.InterruptedError)
            assert isinstance(await session.files.list("/tmp"), dict)
    asyncio.run(main())
