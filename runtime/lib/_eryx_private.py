"""Modules as only the runtime has them.

What reports exceptions must work whatever the program did to modules and builtins: it runs in
modules of its own, with builtins of its own, and finds what it imports here.
"""

import builtins
import importlib
import importlib.util
import sys
import types

_modules = {}  # name: private module
_imported = {}  # arguments of an import: its result
_builtins = dict(vars(builtins))
_real_import = builtins.__import__


def _import(name, globals=None, locals=None, fromlist=(), level=0):
    if name in _modules:
        return _modules[name]
    key = name, tuple(fromlist or ())
    if key not in _imported:
        _imported[key] = _real_import(name, globals, locals, fromlist, level)
    return _imported[key]


_builtins["__import__"] = _import


def load(name):
    """A copy of a module, with private builtins."""
    if name not in _modules:
        spec = importlib.util.find_spec(name)
        module = types.ModuleType(name)
        module.__file__ = spec.origin
        module.__builtins__ = _builtins
        _modules[name] = module
        exec(spec.loader.get_code(name), vars(module))
    return _modules[name]


def start():
    """At build time only."""
    import linecache

    for name in "ast", "difflib", "os", "tokenize", "unicodedata", "_suggestions":
        _import(name)
    load("linecache").cache = linecache.cache
    load("traceback")
    sys.modules["_eryx_report"] = load("_eryx_report")
