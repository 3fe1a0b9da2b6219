"""Makes the .pyc files of the standard library's archive. At build time only."""

import os
import sys
from importlib import _bootstrap_external as bootstrap
from importlib.util import cache_from_source

ROOT = "/lib/python3.14"


def compile_all():
    """Writes a .pyc beside every .py under ROOT; returns how many.

    They name the source's time and size, so a program that changes a source gets what it wrote."""
    count = 0
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in files:
            if name.endswith(".py"):
                count += _compile(os.path.join(folder, name))
    return count


def _compile(path):
    with open(path, "rb") as file:
        source = file.read()
    status = os.stat(path)
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except SyntaxError as error:  # lib2to3-like data, not meant to be imported
        print(f"no .pyc for {path}: {error}", file=sys.stderr)
        return 0
    target = cache_from_source(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(bootstrap._code_to_timestamp_pyc(code, int(status.st_mtime), status.st_size))
    return 1
