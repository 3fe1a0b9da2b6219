#!/usr/bin/env python3
"""Makes the header folder against which runtime/python is compiled.

    python_headers.py MAKE_PYCONFIG STDLIB.tar.zst OUTPUT_FOLDER

The wheel has a CPython but no headers. The limited API is the same in those of any
CPython from 3.11 on, so the folder is a copy of this interpreter's with a pyconfig.h of the
sandbox's. It has to be a copy: a header finds its own folder's pyconfig.h first.
"""
import io
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

VARIABLES = "_sysconfig_vars__wasi_wasm32-wasi.json"


def host_headers():
    if sys.version_info < (3, 11):
        sys.exit(f"python_headers: {sys.executable} is {sys.version.split()[0]}; headers of CPython "
                 "3.11 or later are needed: put a newer python3 first on PATH")
    include = Path(sysconfig.get_paths()["include"])
    if not (include / "Python.h").exists():
        sys.exit(f"python_headers: {include} has no Python.h: install the development package of "
                 f"{sys.executable} (Debian: python3-dev)")
    return include


def main(make_pyconfig, stdlib, output):
    output = Path(output)
    shutil.copytree(host_headers(), output, ignore=shutil.ignore_patterns("pyconfig*.h"))
    tar = subprocess.run(["zstd", "-dcq", stdlib], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        name = next(name for name in archive.getnames() if name.endswith(VARIABLES))
        variables = output / VARIABLES
        variables.write_bytes(archive.extractfile(name).read())
    subprocess.run([sys.executable, make_pyconfig, variables, output / "pyconfig.h"], check=True)
    variables.unlink()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip().split("\n")[2].strip())
    main(*sys.argv[1:])
