"""Runtime(packages=..., requirements=...): what programs import without paying for it."""

import sys
import zipfile

import pytest

import eryx


def make_wheel(folder, name="sample", text="VALUE = 7\n", tags="py3-none-any"):
    path = folder / f"{name}-1.0-{tags}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", text)
        wheel.writestr(f"{name}/data.txt", "data")
        wheel.writestr(f"{name}-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tags}\n")
        wheel.writestr(f"{name}-1.0.dist-info/METADATA", f"Name: {name}\nVersion: 1.0\n")
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "eryx"


def test_wheel_and_folder(tmp_path, cache):
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "extra.py").write_text("import sample\nTWICE = sample.VALUE * 2\n")
    packages = [make_wheel(tmp_path), folder]
    for _ in range(2):
        runtime = eryx.Runtime(packages=packages)
        outcome = eryx.run("import sys\nloaded = {'sample', 'extra'} <= set(sys.modules)\n"
                           "import extra, importlib.resources as r, importlib.metadata as m\n"
                           "[loaded, extra.TWICE, r.files('sample').joinpath('data.txt').read_text(),"
                           " m.version('sample')]", runtime=runtime)
        assert outcome.value == [True, 14, "data", "1.0"]
    assert len(list((cache / "images").glob("*.cwasm"))) == 1


def test_sandboxes_share_nothing(tmp_path):
    runtime = eryx.Runtime(packages=[make_wheel(tmp_path, text="items = []\n")])
    for _ in range(3):
        assert eryx.run("import sample\nsample.items.append(1)\nlen(sample.items)",
                        runtime=runtime).value == 1


def test_requirements(tmp_path, monkeypatch, cache):
    make_wheel(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    file = tmp_path / "requirements.txt"
    file.write_text("sample\n")
    with pytest.raises(eryx.Error, match="no lock file"):
        eryx.Runtime(requirements=file, locked=True)
    assert eryx.run("import sample; sample.VALUE", runtime=eryx.Runtime(requirements=file)).value == 7
    assert "sample==1.0 --hash=sha256:" in (tmp_path / "requirements.txt.lock").read_text()
    monkeypatch.setattr(sys, "executable", "/nowhere")  # nothing is run when all is there
    eryx.Runtime(requirements=file, locked=True)


def test_errors(tmp_path):
    with pytest.raises(TypeError, match="must be a list"):
        eryx.Runtime(packages="sample.whl")
    with pytest.raises(eryx.Error, match="No such file"):
        eryx.Runtime(packages=[tmp_path / "sample-1.0-py3-none-any.whl"])
    with pytest.raises(ValueError, match="native code for linux_x86_64"):
        eryx.Runtime(packages=[make_wheel(tmp_path, tags="cp314-cp314-linux_x86_64")])
