# A program that has broken all that reports are made with still gets its whole traceback.
import ast
import builtins
import codeop
import contextlib
import io
import linecache
import re
import sys
import textwrap
import tokenize
import traceback


def inner(n):
    return 1 / n


def outer():
    inner(0)


linecache.cache = linecache.getline = linecache.getlines = linecache.checkcache = None
for module in ast, codeop, contextlib, io, re, textwrap, tokenize, traceback:
    vars(module).clear()
sys.modules.clear()
vars(builtins).clear()
outer()
