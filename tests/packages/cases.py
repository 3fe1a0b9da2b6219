"""Cases of `--package`, `-r` and images with packages: each a function of a Box, in a folder of its own."""
import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

CASES = {}
ELF = b"\x7fELF" + bytes(60)


def case(function):
    CASES[function.__name__] = function
    return function


def offline(files):
    """The environment in which pip finds files there, and nothing else."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
            "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(files), "PIP_CONFIG_FILE": os.devnull}


class Box:
    def __init__(self, eryx, folder, files):
        self.eryx, self.folder, self.files = eryx, folder, files
        self.cache = folder / "cache" / "eryx"
        self.environment = {**offline(folder / "links"), "XDG_CACHE_HOME": str(folder / "cache"),
                            "ERYX_SDK": "/nowhere"}
        (folder / "links").mkdir()

    def wheel(self, name="sample", version="1.0", tags="py3-none-any", files=None, metadata=True, into=""):
        path = self.folder / into / f"{name}-{version}-{tags}.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            for file, text in (files or {f"{name}/__init__.py": f"VALUE = {version!r}\n"}).items():
                out.writestr(file, text)
            if metadata:
                info = f"{name}-{version}.dist-info"
                out.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                                                 f"{metadata if isinstance(metadata, str) else ''}")
                out.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tags}\n")
                out.writestr(f"{info}/RECORD", "")
        return path

    def eryx_run(self, *arguments, command="run", environment=None):
        return subprocess.run([self.eryx, command, *map(str, arguments)], text=True, capture_output=True,
                              cwd=self.folder, stdin=subprocess.DEVNULL,
                              env={**self.environment, **(environment or {})})

    def prints(self, wanted, *arguments, **options):
        done = self.eryx_run(*arguments, **options)
        if (done.stdout, done.stderr, done.returncode) != (wanted, "", 0):
            raise AssertionError(f"wanted: {wanted!r}\nbut got: {done.stdout!r} {done.stderr!r} "
                                 f"{done.returncode}")

    def refuses(self, wanted, *arguments, status=2, **options):
        done = self.eryx_run(*arguments, **options)
        if wanted not in done.stderr or done.stdout or done.returncode != status:
            raise AssertionError(f"wanted: {wanted!r} {status}\nbut got: {done.stdout!r} {done.stderr!r} "
                                 f"{done.returncode}")

    def images(self):
        return sorted((self.cache / "images").glob("*.cwasm"))


def run(function, eryx, files):
    with tempfile.TemporaryDirectory(prefix="eryx-packages-") as folder:
        function(Box(eryx, Path(folder).resolve(), files))


# --- Wheels and folders -----------------------------------------------------------------------

SHOW = "import sys; loaded = 'sample' in sys.modules; import sample; print(loaded, sample.VALUE)"


@case
def a_wheel_is_imported_once(box):
    wheel = box.wheel()
    box.prints("True 1.0\n", "--package", wheel, "-c", SHOW)
    first, = box.images()
    made = first.stat().st_ino
    box.prints("True 1.0\n", "--package", wheel, "-c", SHOW)
    assert [image.stat().st_ino for image in box.images()] == [made]
    # The same content elsewhere is the same image; another content is another one.
    (box.folder / "copy").mkdir()
    box.prints("True 1.0\n", "--package", shutil.copy(wheel, box.folder / "copy"), "-c", SHOW)
    assert len(box.images()) == 1
    box.wheel(files={"sample/__init__.py": "VALUE = 'changed'\n"})
    box.prints("True changed\n", "--package", wheel, "-c", SHOW)
    assert len(box.images()) == 2


@case
def files_of_a_wheel(box):
    wheel = box.wheel(files={
        "sample/__init__.py": "VALUE = 0\n", "sample/sub/__init__.py": "", "sample/sub/deep.py": "X = 5\n",
        "sample/data.bin": b"\0\1", "single.py": "Y = 6\n",
        "sample-1.0.data/purelib/pure.py": "P = 7\n", "sample-1.0.data/platlib/plat.py": "Q = 8\n",
        "sample-1.0.data/scripts/tool": "#!python\n", "sample-1.0.data/data/share/x": "x"})
    box.prints("5 6 7 8 b'\\x00\\x01' 1.0 [False, False]\n", "--package", wheel, "-c", """
import importlib.metadata, importlib.resources, os
from sample.sub.deep import X
import single, pure, plat
top = "/lib/python3.14/site-packages"
print(X, single.Y, pure.P, plat.Q, importlib.resources.files("sample").joinpath("data.bin").read_bytes(),
      importlib.metadata.version("sample"), [os.path.exists(f"{top}/{name}") for name in ("share", "tool")])""")


@case
def packages_are_read_only(box):
    box.prints("OSError\n", "--package", box.wheel(), "-c", """
try:
    open('/lib/python3.14/site-packages/sample/__init__.py', 'w')
except OSError as error:
    print('OSError')""")


@case
def folders(box):
    package = box.folder / "mine"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__" / "junk.pyc").write_bytes(b"junk")
    (package / ".git").mkdir()
    (package / "__init__.py").write_text("VALUE = 1\n")
    (package / "link.py").symlink_to("/etc/passwd")
    site = box.folder / "site"
    site.mkdir()
    (site / "other.py").write_text("import mine\nVALUE = mine.VALUE + 1\n")
    show = "import os, mine, other; print(mine.VALUE, other.VALUE, sorted(os.listdir(mine.__path__[0])), " \
           "os.path.exists(mine.__path__[0] + '/link.py'))"
    box.prints("1 2 ['__init__.py', 'link.py'] False\n", "--package", package, "--package", site, "-c", show)
    (package / "__init__.py").write_text("VALUE = 10\n")
    box.prints("10 11 ['__init__.py', 'link.py'] False\n", "--package", package, "--package", site, "-c", show)


@case
def modules_that_fail_are_left_to_programs(box):
    wheel = box.wheel(files={
        "sample/__init__.py": "import nothing_like_that\n", "loud.py": "print('loud')\nX = 1\n",
        "leaves.py": "raise SystemExit(3)\n", "crashes.py": "import os; os.abort()\n", "fine.py": "X = 2\n"})
    box.prints("2 1 No module named 'nothing_like_that'\n", "--package", wheel, "-c", """
import fine, loud
try:
    import sample
except ImportError as error:
    print(fine.X, loud.X, error)""")


@case
def nothing_is_kept_where_nothing_can_be(box):
    wheel = box.wheel()
    environment = {"XDG_CACHE_HOME": "/proc/nowhere"}
    for _ in range(2):
        box.prints("True 1.0\n", "--package", wheel, "-c", SHOW, environment=environment)


@case
def a_damaged_image_is_made_again(box):
    wheel = box.wheel()
    box.prints("True 1.0\n", "--package", wheel, "-c", SHOW)
    image, = box.images()
    os.truncate(image, 5_000_000)
    box.prints("True 1.0\n", "--package", wheel, "-c", SHOW)
    assert image.stat().st_size > 5_000_000


@case
def images_have_their_packages(box):
    (box.folder / "warm.py").write_text("import sample\nready = sample.VALUE * 2\n")
    box.prints("", "build", "-o", "own.cwasm", "--package", box.wheel(files={
        "sample/__init__.py": "VALUE = 1\n", "sample/later.py": "VALUE = 2\n"}), "--code", "warm.py",
        command="image")
    box.prints("2 2\n", "--runtime", "own.cwasm", "-c", "import sample.later; print(ready, sample.later.VALUE)")
    box.refuses("has packages already", "--runtime", "own.cwasm", "--package", box.wheel("other"), "-c", "",
                status=125)


@case
def prompt(box):
    done = subprocess.run([box.eryx, "repl", "--package", box.wheel()], input="import sample\nsample.VALUE\n",
                          text=True, capture_output=True, env=box.environment)
    assert (done.stdout, done.stderr) == ("'1.0'\n", ""), done


@case
def checkpoints(box):
    wheel = box.wheel()
    code = "import asyncio, sample; await asyncio.sleep(0.5); print(sample.VALUE)"
    done = box.eryx_run("--package", wheel, "--checkpoint", "c", "--checkpoint-waiting", "-c", code)
    assert done.returncode == 75, done
    box.prints("1.0\n", "--package", wheel, "c", command="resume")
    box.refuses("", "c", command="resume", status=125)


# --- What is refused --------------------------------------------------------------------------

@case
def wheels_for_others(box):
    for tags, wanted in {
        "cp314-cp314-manylinux_2_17_x86_64": "has native code for manylinux_2_17_x86_64",
        "cp313-cp313-wasi_wasm32": "is for the Python cp313", "py2-none-any": "is for the Python py2",
        "cp314-cp314t-wasi_wasm32": "is for the ABI cp314t", "py315-none-any": "is for the Python py315",
    }.items():
        box.refuses(wanted, "--package", box.wheel(tags=tags), "-c", "")
    for tags in "py2.py3-none-any", "py39-none-any", "cp314-none-any", "cp39-abi3-any.linux_x86_64":
        box.prints("True 1.0\n", "--package", box.wheel(tags=tags), "-c", SHOW)


@case
def what_is_no_wheel(box):
    (box.folder / "sample-1.0-py3-none-any.whl").write_text("no zip")
    box.refuses("it is no zip archive", "--package", "sample-1.0-py3-none-any.whl", "-c", "", status=125)
    box.refuses("there is no .dist-info/WHEEL in it", "--package", box.wheel(metadata=False), "-c", "",
                status=125)
    whole = box.wheel().read_bytes()
    (box.folder / "sample-1.0-py3-none-any.whl").write_bytes(whole[:len(whole) - 80])
    box.refuses("sample-1.0-py3-none-any.whl: the archive cannot be read", "--package",
                "sample-1.0-py3-none-any.whl", "-c", "", status=125)
    box.refuses("native code of another machine", "--package",
                box.wheel(files={"sample/x.so": ELF, "sample/__init__.py": ""}), "-c", "", status=125)
    box.refuses("leads out of", "--package", box.wheel(files={"../sample.py": ""}), "-c", "", status=125)
    (box.folder / "archive.tar.gz").write_bytes(b"x")
    box.refuses("is not named like a wheel", "--package", "archive.tar.gz", "-c", "")
    box.refuses("No such file", "--package", "nowhere.whl", "-c", "")
    box.refuses("neither a wheel nor a folder", "--package", "/dev/null", "-c", "")
    assert not box.images()


@case
def conflicts(box):
    box.refuses("two versions of sample: sample-1.0-py3-none-any.whl and sample-2.0-py3-none-any.whl", "--package",
                box.wheel(), "--package", box.wheel(version="2.0"), "-c", "")
    box.refuses("both have shared.py, and not the same", "--package", box.wheel(files={"shared.py": "1"}), "--package",
                box.wheel("other", files={"shared.py": "2"}), "-c", "", status=125)
    same = {"space/__init__.py": ""}
    box.prints("1 2\n", "--package", box.wheel("one", files={**same, "space/one.py": "X = 1\n"}), "--package",
               box.wheel("two", files={**same, "space/two.py": "X = 2\n"}), "-c",
               "import space.one, space.two; print(space.one.X, space.two.X)")


# --- Requirements -----------------------------------------------------------------------------

@case
def requirements_are_locked(box):
    box.wheel(into="links", metadata="Requires-Dist: needed>=2; sys_platform == 'wasi'\n"
                                     "Requires-Dist: absent; python_version < '3.14'\n")
    box.wheel("needed", "2.0", into="links")
    (box.folder / "r.txt").write_text("-r more.txt\n")
    (box.folder / "more.txt").write_text("sample\n")
    box.refuses("there is no lock file of r.txt", "--locked", "-r", "r.txt", "-c", "")
    show = "import sample, needed; print(sample.VALUE, needed.VALUE)"
    box.prints("1.0 2.0\n", "-r", "r.txt", "-c", show)
    lock = (box.folder / "r.txt.lock").read_text()
    assert "needed==2.0 --hash=sha256:" in lock and "sample==1.0 --hash=sha256:" in lock, lock
    # From now on neither pip nor Python is needed, and newer versions don't matter ...
    box.wheel("needed", "3.0", into="links")
    box.prints("1.0 2.0\n", "--locked", "-r", "r.txt", "-c", show, environment={"ERYX_PYTHON": "/nowhere"})
    # ... on another machine pip fetches what is locked ...
    shutil.rmtree(box.cache)
    box.prints("1.0 2.0\n", "-r", "r.txt", "-c", show)
    # ... and other requirements are another matter.
    (box.folder / "more.txt").write_text("sample\nneeded>2\n")
    box.refuses("there is no lock file of r.txt as it is now", "--locked", "-r", "r.txt", "-c", "")
    box.prints("1.0 3.0\n", "-r", "r.txt", "-c", show)


@case
def files_that_are_not_the_locked_ones(box):
    box.wheel(into="links")
    (box.folder / "r.txt").write_text("sample\n")
    box.prints("True 1.0\n", "-r", "r.txt", "-c", SHOW)
    shutil.rmtree(box.cache)
    box.wheel(into="links", files={"sample/__init__.py": "VALUE = 'evil'\n"})
    lock = (box.folder / "r.txt.lock").read_text()
    box.refuses("the file is not the one that is locked", "-r", "r.txt", "-c", "")
    assert (box.folder / "r.txt.lock").read_text() == lock
    (box.folder / "r.txt.lock").write_text(lock + "garbage\n")
    box.refuses("is damaged", "-r", "r.txt", "-c", "")


@case
def what_pip_cannot_find(box):
    (box.folder / "r.txt").write_text("no-such-package-anywhere>=3\n")
    box.refuses("no-such-package-anywhere>=3 has no wheel for the sandbox, and its source cannot be had", "-r",
                "r.txt", "-c", "")
    assert not (box.folder / "r.txt.lock").exists()
    box.refuses("cannot open the requirements", "-r", "none.txt", "-c", "")
    (box.folder / "r.txt").write_text("sample\nneeded<2\n")
    box.wheel(into="links", metadata="Requires-Dist: needed>=2\n")
    for version in "1.0", "2.0":
        box.wheel("needed", version, into="links")
    box.refuses("r.txt: Cannot install", "-r", "r.txt", "-c", "")
    assert (box.cache / "wheels" / "pip.log").exists()


@case
def no_pip(box):
    box.wheel(into="links")
    (box.folder / "r.txt").write_text("sample\n")
    box.refuses("cannot run /nowhere/python", "-r", "r.txt", "-c", "", environment={"ERYX_PYTHON": "/nowhere/python"})
    (box.folder / "hook").mkdir()  # what stands in front of the real one
    (box.folder / "hook" / "pip.py").write_text("raise ModuleNotFoundError('No module named pip')\n")
    box.refuses("has no pip", "-r", "r.txt", "-c", "", environment={"PYTHONPATH": str(box.folder / "hook")})


@case
def no_network(box):
    (box.folder / "r.txt").write_text("sample\n")
    environment = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    del box.environment["PIP_NO_INDEX"]
    box.refuses("pip cannot reach the package index", "-r", "r.txt", "-c", "", environment=environment)


@case
def a_source_is_built_without_its_extension(box):
    shutil.copy(next(box.files.glob("markupsafe-*.tar.gz")), box.folder / "links")
    shutil.copy(next(box.files.glob("setuptools-*.whl")), box.folder / "links")
    (box.folder / "r.txt").write_text("markupsafe\n")
    box.refuses("markupsafe has no wheel for the sandbox, and building is not allowed", "--no-build", "-r", "r.txt",
                "-c", "")
    show = "import markupsafe; print(markupsafe.escape('<'), markupsafe._escape_inner.__module__)"
    box.prints("&lt; markupsafe._native\n", "-r", "r.txt", "-c", show)
    assert ".tar.gz\n" in (box.folder / "r.txt.lock").read_text()
    box.prints("&lt; markupsafe._native\n", "--locked", "-r", "r.txt", "-c", show,
               environment={"ERYX_PYTHON": "/nowhere"})
