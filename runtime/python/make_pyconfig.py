#!/usr/bin/env python3
"""Writes the pyconfig.h of the sandbox's CPython.

    make_pyconfig.py SYSCONFIG_VARS_JSON OUTPUT

componentize-py's wheel has no headers, but its standard library holds the variables
that configure found. Those that C code can see are the numbers that are not 0.
"""

import json
import os
import re
import sys

# A macro configure may define; everything else in the file is a Makefile variable.
MACRO = re.compile(r"(HAVE|SIZEOF|ALIGNOF|WITH|Py|PY|DOUBLE_IS|MAJOR|RETSIGTYPE|STDC|TM)_\w+$")


def macros(variables):
    for name, value in sorted(variables.items()):
        if MACRO.match(name) and isinstance(value, int) and value != 0:
            yield f"#define {name} {value}"


def main(arguments):
    if len(arguments) != 2:
        sys.exit("usage: make_pyconfig.py SYSCONFIG_VARS_JSON OUTPUT")
    source, output = arguments
    try:
        with open(source, encoding="utf-8") as file:
            variables = json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"make_pyconfig: cannot read {source}: {error}")
    lines = list(macros(variables))
    if not any(line.startswith("#define SIZEOF_VOID_P 4") for line in lines):
        sys.exit(f"make_pyconfig: {source} is not of a 32-bit CPython (no SIZEOF_VOID_P 4)")
    text = "\n".join(["/* Made by make_pyconfig.py. */", "#ifndef Py_PYCONFIG_H",
                      "#define Py_PYCONFIG_H", *lines, "#endif", ""])
    temporary = f"{output}.{os.getpid()}"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, output)
    except OSError as error:
        sys.exit(f"make_pyconfig: cannot write {output}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
