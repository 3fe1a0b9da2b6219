"""Examples in docstrings run as they are shown; the package's types are checked."""
import asyncio
import doctest
import importlib
import pkgutil
import subprocess
import sys
import types
from pathlib import Path

import eryx
import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULES = ["eryx", *sorted(f"eryx.{module.name}" for module in pkgutil.iter_modules(eryx.__path__)
                           if module.name != "_eryx")]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    module = importlib.import_module(name)
    failed, shown = 0, []
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL, verbose=False)
    for value in [module, *(value for value in vars(module).values()
                            if isinstance(value, (type, types.FunctionType))
                            and value.__module__ in ("eryx", name)
                            and getattr(value, "__doc__", None))]:
        label = f"{name}.{getattr(value, '__name__', '')}"
        finder = doctest.DocTestFinder(recurse=value is not module)
        for test in finder.find(value, label, module=False, globs={"eryx": eryx, "asyncio": asyncio}):
            failed += runner.run(test, out=shown.append).failed
    assert failed == 0, "".join(shown)


def test_agent():
    """examples/agent says what it always says."""
    folder = ROOT / "examples/agent"
    done = subprocess.run([sys.executable, "-B", folder / "agent.py"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (folder / "agent.out").read_text()


def test_there_are_examples():
    texts = [eryx.__doc__, *(getattr(eryx, name).__doc__ or "" for name in eryx.__all__
                             if hasattr(getattr(eryx, name), "__doc__"))]
    assert sum(">>>" in text for text in texts) >= 20
    for name in eryx.__all__:
        value = getattr(eryx, name)
        if isinstance(value, types.FunctionType):
            assert ">>>" in value.__doc__, name
    for kind in (eryx.Sandbox, eryx.Session, eryx.Pool, eryx.Runtime, eryx.Outcome, eryx.Files, eryx.Profile):
        assert ">>>" in kind.__doc__, kind


def test_everything_public_is_documented():
    for name in eryx.__all__:
        value = getattr(eryx, name)
        if isinstance(value, (type, types.FunctionType)):
            assert value.__doc__, name
            assert value.__module__ == "eryx", name


def test_stubs():
    """The stub of the extension says what is in it."""
    done = subprocess.run([sys.executable, "-m", "mypy.stubtest", "eryx._eryx", "--concise"],
                          capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr


def test_types(tmp_path):
    """mypy --strict over the package, and over a program that uses it."""
    program = tmp_path / "program.py"
    program.write_text('''
import asyncio
import eryx

def add(a: int, b: int = 1) -> int:
    return a + b

outcome: eryx.Outcome = eryx.run("add(1)", callbacks=[add], timeout=2.0, memory="128M")
text: str = outcome.stdout

async def main() -> None:
    async with eryx.Session(callbacks={"add": add}, limits=eryx.Limits(wall_time=1)) as session:
        await session.execute("1", check=False)

asyncio.run(main())
''')
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache",
         "--config-file", "", ROOT / "bindings/python/src/eryx", program],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
