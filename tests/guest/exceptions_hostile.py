# An exception whose str fails, in a program that has broken what reports are made with.
import builtins
import sys
import traceback

sys.excepthook = 5
sys.stderr = None
traceback.format_exception = None
sys.modules.clear()
del builtins.len, builtins.isinstance, builtins.__import__


class Broken(Exception):
    def __str__(self):
        raise ValueError


raise Broken
