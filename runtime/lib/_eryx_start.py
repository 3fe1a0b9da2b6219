"""Prepares the interpreter that becomes the image. Runs once, at build time.

What is imported here costs every sandbox nothing in time and shared memory; what
is only wanted rarely stays out, its .pyc is in the archive.
"""

import builtins
import gc
import sys
import types

import _eryx

# What programs use most. Measured: to import one of these in the sandbox would take 0.2 ms (graphlib)
# to 5 ms (unittest) and 10 KB to 300 KB of its own memory; here they add 4 MB to what all share.
COMMON = """
    abc argparse array ast asyncio base64 bisect calendar cmath codecs collections collections.abc
    configparser contextlib contextvars copy csv dataclasses datetime decimal difflib
    email.message enum fnmatch fractions functools glob graphlib gzip hashlib heapq hmac html
    html.parser inspect io itertools json keyword linecache locale logging math numbers operator
    os os.path pathlib pickle platform posixpath pprint queue re reprlib shutil signal sqlite3
    stat string string.templatelib struct subprocess sys textwrap threading time timeit tokenize
    tomllib traceback types typing unicodedata unittest urllib.parse warnings weakref
    xml.etree.ElementTree zipfile zlib zoneinfo
    encodings.ascii encodings.latin_1 encodings.utf_8_sig encodings.idna
    _eryx_state eryx
""".split()


class Quit:
    """`exit` and `quit`, as `site` has them, except that stdin stays open."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Use {self.name}() to leave the program"

    def __call__(self, code=None):
        raise SystemExit(code)


def breakpointhook(*args, **kwargs):
    """As CPython's, except that there is no console: pdb would fail at its first prompt."""
    import os
    import warnings

    hook = os.environ.get("PYTHONBREAKPOINT", "")
    if hook == "0":
        return None
    if hook in ("", "pdb.set_trace"):
        raise RuntimeError("breakpoint(): the sandbox has no console for a debugger; print what you "
                           "want to see, or set PYTHONBREAKPOINT to a function of yours, or to 0")
    module, _, name = hook.rpartition(".")
    try:
        function = getattr(__import__(module or "builtins", fromlist=[name]), name)
    except (ImportError, AttributeError, ValueError):
        warnings.warn(f'Ignoring unimportable $PYTHONBREAKPOINT: "{hook}"', RuntimeWarning, 2)
        return None
    return function(*args, **kwargs)


def add_texts():
    """`copyright`, `credits` and `license`, as `site` has them, except that they never ask for Return."""
    import _sitebuiltins
    import os

    class Text(_sitebuiltins._Printer):
        def __call__(self):
            self._Printer__setup()
            print("\n".join(self._Printer__lines))

    builtins.copyright = Text("copyright", sys.copyright)
    builtins.credits = Text("credits", """\
Thanks to CWI, CNRI, BeOpen, Zope Corporation, the Python Software Foundation,
and a cast of thousands for supporting Python development.  See www.python.org
for more information.""")
    builtins.license = Text("license", "See https://www.python.org/psf/license/",
                            ["LICENSE.txt"], [os.path.dirname(os.__file__)])


def add_builtins():
    import _sitebuiltins
    import eryx

    sys.breakpointhook = breakpointhook
    add_texts()
    builtins.exit = Quit("exit")
    builtins.quit = Quit("quit")
    builtins.invoke = eryx.invoke
    builtins.list_callbacks = eryx.list_callbacks
    builtins.help = _sitebuiltins._Helper()


def add_dup():
    """WASI has no dup, so CPython is built without it; numpy.save wants it."""
    import os
    import posix

    def dup(fd, /):
        """Return a duplicate of a file descriptor."""
        return _eryx.dup(fd)

    os.dup = posix.dup = dup


def start():
    for name in COMMON:
        __import__(name)
    import _eryx_fresh
    import _eryx_driver
    import _eryx_private
    import _eryx_session
    import _eryx_source
    import _eryx_zone

    # What was printed is out when a limit ends the program, and in order with stderr.
    sys.stdout.reconfigure(line_buffering=True)
    add_builtins()
    add_dup()
    _eryx_driver.install()
    _eryx_source.install()
    _eryx_zone.install()
    _eryx_private.start()
    import _eryx_rehearse

    _eryx_rehearse.run()
    del sys.modules["_eryx_rehearse"]
    _eryx_fresh.keep()
    _eryx_session.remember()


_CODE_PARTS = ("co_consts", "co_names", "co_filename", "co_name", "co_qualname", "co_linetable",
               "co_exceptiontable")
_NAMES_OF_CODE = "co_varnames", "co_cellvars", "co_freevars"


def _referents(obj):
    if isinstance(obj, types.CodeType):  # the collector does not know what is in code
        parts = [getattr(obj, name) for name in _CODE_PARTS]
        for name in _NAMES_OF_CODE:
            parts += getattr(obj, name)
        return parts
    if isinstance(obj, type):  # nor in static types
        return gc.get_referents(obj, vars(obj))
    return gc.get_referents(obj)


def _lasting():
    """Everything that is alive, but for `__main__` and what runs now."""
    main = sys.modules["__main__"]
    found = {}
    todo = gc.get_objects()
    left_out = {id(obj) for obj in (main, vars(main), found, todo)}
    left_out.add(id(left_out))
    running = types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType
    while todo:
        obj = todo.pop()
        if id(obj) not in found and id(obj) not in left_out and not isinstance(obj, running):
            found[id(obj)] = obj
            todo += _referents(obj)
    return list(found.values())


def settle():
    """The session becomes an image: `clear` comes back to it."""
    import _eryx_session

    sys.modules.pop(__name__, None)
    _eryx_session.remember()
    freeze()


def freeze():
    """The last step: what is alive now stays for good."""
    gc.collect()
    _eryx.freeze(_lasting())
