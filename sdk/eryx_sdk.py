#!/usr/bin/env python3
"""The tools for native extensions: what `eryx sdk` runs.

    eryx sdk cc ARGUMENTS ...            C compiler and linker, used like cc
    eryx sdk c++ ARGUMENTS ...           the same for C++
    eryx sdk build-wheel PACKAGE ...     a wheel for the sandbox, from a source package
    eryx sdk info                        what there is, and where
"""
import sys
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import compiler  # noqa: E402
import wheel  # noqa: E402
from folder import Sdk, SdkError  # noqa: E402


def info(sdk, arguments):
    print(f"folder     {sdk.root}\ncompiler   {sdk.zig}\nheaders    {sdk.headers()}\n"
          f"suffix     {sdk.suffix}")
    if not sdk.has_full_headers():
        print("The full headers of CPython 3.14 are missing: only the limited API can be used.\n"
              "`make sdk` fetches them, on a machine with a Debian mirror.")
    return 0


COMMANDS = {
    "cc": lambda sdk, arguments: compiler.run(sdk, "cc", arguments),
    "c++": lambda sdk, arguments: compiler.run(sdk, "c++", arguments),
    "build-wheel": wheel.run,
    "info": info,
}


def main(arguments):
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__.strip(), file=sys.stderr if arguments else sys.stdout)
        if arguments:
            print(f"\neryx sdk: unknown command '{arguments[0]}'", file=sys.stderr)
        return 2
    try:
        return COMMANDS[arguments[0]](Sdk(HERE.parent), arguments[1:])
    except (SdkError, OSError) as error:
        print(f"eryx sdk {arguments[0]}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
