"""Network, secrets and files that a sandbox is granted."""
import asyncio
import socket
import threading
import zipfile

import eryx
import pytest


@pytest.fixture
def server():
    """Answers each connection with what it got, in capitals."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.sendall(peer.recv(100).upper())
    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def ask(port):
    return f"""
import socket
with socket.create_connection(("127.0.0.1", {port}), timeout=30) as peer:
    peer.sendall(b"hello")
    reply = peer.recv(100).decode()
reply
"""


def test_without_network():
    with pytest.raises(eryx.GuestError):
        eryx.run(ask(80))


def test_network(server):
    events = []
    network = eryx.Network([f"127.0.0.1:{server}"], on_event=events.append)
    assert eryx.run(ask(server), network=network).value == "HELLO"
    connect = next(event for event in events if event.kind == "connect")
    assert (connect.allowed, connect.address) == (True, f"127.0.0.1:{server}")
    closed = [event for event in events if event.kind == "close"]
    assert [(event.bytes_in, event.bytes_out) for event in closed] == [(5, 5)]
    assert eryx.run(ask(server), network=[f"127.0.0.1:{server}"]).value == "HELLO"


def test_network_of_sessions(server):
    async def main():
        outcomes = await asyncio.gather(*[
            eryx.run_async(ask(server), network=[f"127.0.0.1:{server}"]) for _ in range(5)])
        assert [outcome.value for outcome in outcomes] == ["HELLO"] * 5
    asyncio.run(main())


def test_denials_win(server):
    network = eryx.Network([f"127.0.0.1:{server}"], deny=["127.0.0.0/8"])
    with pytest.raises(eryx.GuestError):
        eryx.run(ask(server), network=network)


@pytest.mark.parametrize("rules, error", [
    (["no such rule:x:y"], eryx.ArgumentError), ("example.org", TypeError), ([1], TypeError),
    (3, TypeError)])
def test_wrong_rules(rules, error):
    with pytest.raises(error):
        eryx.Sandbox(network=rules)


def test_secrets(server):
    secret = eryx.Secret("API_KEY", "sk-abcdefgh12345678", ["example.org"])
    assert "sk-abc" not in repr(secret)
    with eryx.Sandbox(secrets=[secret]) as sandbox:
        placeholder = sandbox.placeholder("API_KEY")
        assert placeholder and placeholder != "sk-abcdefgh12345678"
        assert sandbox.execute("import os; os.environ['API_KEY']").value == placeholder
        assert sandbox.placeholder("OTHER") is None
        [fork] = sandbox.fork()
        assert fork.placeholder("API_KEY") == placeholder
    for wrong in (("A", "short", ["example.org"]), ("A", "long-enough-1", [])):
        with pytest.raises(eryx.ArgumentError):
            eryx.Sandbox(secrets=[eryx.Secret(*wrong)])
    with pytest.raises(TypeError, match="a secret must be Secret"):
        eryx.Sandbox(secrets=["x"])
    with pytest.raises(TypeError, match="the value of a secret must be str"):
        eryx.Secret("A", b"x", [])


def test_secrets_do_not_come_back(server):
    """A value that gets in all the same (here with the code) leaves by none of the binding's ways."""
    value = "sk_abcdefgh12345678"
    secret = eryx.Secret("API_KEY", value, ["example.org"])
    seen = []

    def look(text: str) -> str:
        seen.append(text)
        return value

    network = eryx.Network([], on_event=seen.append)
    with eryx.Sandbox(secrets=[secret], callbacks={"look": look}, network=network,
                      on_trace=lambda *event: seen.append(event)) as sandbox:
        placeholder = sandbox.placeholder("API_KEY")
        outcome = sandbox.execute(f"""
import os, socket
def {value}():
    return '{value}'
print({value}(), flush=True)
same = look({value}()) == os.environ['API_KEY']
try:
    socket.getaddrinfo('{value}%', 80)
except PermissionError:
    pass
open('/tmp/{value}', 'w').write('{value}')
[{value}(), same]
""")
        assert outcome.value == [placeholder, True]
        assert outcome.stdout == placeholder + "\n"
        assert sandbox.files.read(f"/tmp/{value}") == placeholder.encode()
        with pytest.raises(eryx.GuestError) as raised:
            sandbox.execute(f"raise ValueError('{value}')")
        seen += [str(raised.value), repr(raised.value), raised.value.traceback, outcome]
        with pytest.raises(eryx.StateError, match="secret"):
            sandbox.checkpoint()
        with pytest.raises(eryx.StateError, match="secret"):
            sandbox.snapshot()
    assert placeholder in repr(seen)
    assert value not in repr(seen)


def test_mounts(tmp_path):
    (tmp_path / "in.txt").write_text("hello")
    read = "open('/data/in.txt').read()"
    write = "open('/data/in.txt', 'w').write('changed')"
    assert eryx.run(read, mounts={"/data": tmp_path}).value == "hello"
    with pytest.raises(eryx.GuestError, match="Read-only"):
        eryx.run(write, mounts={"/data": str(tmp_path)})
    with eryx.Sandbox(mounts={"/data": eryx.Mount(tmp_path, "overlay")}) as sandbox:
        sandbox.execute(write)
        assert sandbox.execute(read).value == "changed"
        assert (tmp_path / "in.txt").read_text() == "hello"
    eryx.run(write, mounts={"/data": eryx.Mount(tmp_path, "rw")})
    assert (tmp_path / "in.txt").read_text() == "changed"
    with pytest.raises(eryx.GuestError, match="No space"):
        eryx.run("with open('/data/big', 'w') as f: f.write('x' * 10000)",
                 mounts={"/data": eryx.Mount(tmp_path, "rw", max_bytes=100)})


def test_wrong_mounts(tmp_path):
    with pytest.raises(eryx.Error, match="missing"):
        eryx.Mount(tmp_path / "missing")
    with pytest.raises(eryx.ArgumentError, match="mode must be"):
        eryx.Mount(tmp_path, "w")
    for target in ("relative", "/", "/a/../b"):
        with pytest.raises(eryx.ArgumentError):
            eryx.Sandbox(mounts={target: tmp_path})
    with pytest.raises(TypeError, match="mounts must be a dict, not list"):
        eryx.Sandbox(mounts=[tmp_path])
    with pytest.raises(TypeError):
        eryx.Sandbox(mounts={"/data": eryx.Mount(tmp_path, "rw", max_bytes="1")})


def test_archives_and_trees(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("folder/x.txt", "zipped")
    mounts = {"/zip": eryx.Archive(tmp_path / "a.zip"),
              "/tree": eryx.Mount(eryx.Tree({"a/b.txt": "tree", "c": b"\0"}), "overlay")}
    with eryx.Sandbox(mounts=mounts) as sandbox:
        assert sandbox.execute("[open('/zip/folder/x.txt').read(), open('/tree/a/b.txt').read()]"
                               ).value == ["zipped", "tree"]
        sandbox.execute("with open('/tree/a/b.txt', 'w') as f: f.write('changed')")
        assert sandbox.files.read("/tree/a/b.txt") == b"changed"
    (tmp_path / "bad.zip").write_bytes(b"PK nonsense")
    with pytest.raises(eryx.Error):
        eryx.Archive(tmp_path / "bad.zip")
    with pytest.raises(eryx.ArgumentError):
        eryx.Tree({"../out": ""})
    with pytest.raises(TypeError, match="str to str or bytes"):
        eryx.Tree({"a": 1})


def make_wheel(path):
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("greet/__init__.py", "def hello():\n    return 'from ' + __name__\n")
        wheel.writestr("greet-1.0.dist-info/METADATA", "Name: greet\nVersion: 1.0\n")


def test_packages(tmp_path):
    make_wheel(tmp_path / "greet-1.0-py3-none-any.whl")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "other.py").write_text("value = 7\n")
    packages = [eryx.Archive(tmp_path / "greet-1.0-py3-none-any.whl"), tmp_path / "lib"]
    code = "import greet, other, importlib.metadata\n" \
           "[greet.hello(), other.value, importlib.metadata.version('greet')]"
    expected = ["from greet", 7, "1.0"]
    for options in ({}, {"on_output": print}, {"on_trace": lambda event: None}):
        assert eryx.run(code, packages=packages, **options).value == expected
    with eryx.Sandbox(packages=packages) as sandbox:
        sandbox.execute(code)
        sandbox.clear()
        assert sandbox.execute(code).value == expected
        assert sandbox.fork()[0].execute(code).value == expected
        data = sandbox.checkpoint()
    with eryx.Sandbox.from_checkpoint(data, packages=packages) as sandbox:
        assert sandbox.execute(code).value == expected
    with eryx.Sandbox(packages=packages, rollback=False) as sandbox:
        assert sandbox.execute("import os; os.abort()", check=False).session_lost
        assert sandbox.execute(code).value == expected
    with pytest.raises(TypeError, match="packages must be a list"):
        eryx.Sandbox(packages=tmp_path)
    with pytest.raises(eryx.Error):
        eryx.Sandbox(packages=[tmp_path / "missing.whl"])


def test_packages_of_sessions(tmp_path):
    make_wheel(tmp_path / "greet-1.0-py3-none-any.whl")

    async def main():
        async with eryx.Session(packages=[tmp_path / "greet-1.0-py3-none-any.whl"]) as session:
            await session.clear()
            return (await session.execute("import greet; greet.hello()")).value
    assert asyncio.run(main()) == "from greet"


def test_limits_of_files_and_recursion():
    with pytest.raises(eryx.GuestError, match="No space"):
        eryx.run("for i in range(1000): open(f'/tmp/{i}', 'w')", limits=eryx.Limits(files=100))


def test_rollback_can_be_switched_off():
    for rollback in (True, False):
        with eryx.Sandbox(rollback=rollback) as sandbox:
            sandbox.execute("x = 1")
            outcome = sandbox.execute("import os; os.abort()", check=False)
            assert (outcome.kind, outcome.session_lost) == ("trap", not rollback)
            assert sandbox.execute("'x' in globals()").value is rollback


def test_fuel():
    """What is used is the same each time."""
    try:
        runtime = eryx.Runtime(fuel=True)
    except eryx.RuntimeFileError as error:
        pytest.skip(f"not built: {error}")
    assert runtime.info["fuel"] is True
    used = {eryx.run("sum(range(1000))", runtime=runtime).fuel_used for _ in range(3)}
    assert len(used) == 1 and used.pop() > 1000
    with pytest.raises(eryx.LimitError, match="fuel"):
        eryx.run("while True: pass", runtime=runtime, limits=eryx.Limits(fuel=10_000_000))
    assert eryx.run("1").fuel_used == 0
