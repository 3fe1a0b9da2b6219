"""What the Python suites of the command share: --eryx PROGRAM, and the sum at the end."""
import argparse
import sys
import unittest
from pathlib import Path

_program = Path(__file__).resolve().parents[2] / "build/eryx"


def eryx():
    return _program


def main():
    global _program
    sys.modules["suite"]._program = _program
    parser = argparse.ArgumentParser()
    parser.add_argument("--eryx", type=Path, default=_program)
    parser.add_argument("test", nargs="*", help="CLASS or CLASS.test_name")
    arguments = parser.parse_args()
    sys.modules["suite"]._program = arguments.eryx.resolve()
    loader, module = unittest.TestLoader(), sys.modules["__main__"]
    tests = (loader.loadTestsFromNames(arguments.test, module) if arguments.test
             else loader.loadTestsFromModule(module))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(tests)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed or not result.testsRun else 0)
