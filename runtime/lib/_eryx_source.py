"""Sources of executed code for tracebacks, `asyncio.run` at top level, values that are displayed.

C keeps the source of an execution as long as code made of it lives (source.c);
`Cache` lets linecache find it there, so that nothing is done for tracebacks before
there is one.
"""

import ast
import linecache
import sys
import warnings
from inspect import CO_COROUTINE

import _eryx
import _eryx_driver

LAST_NAME = "<last>"  # no program has a name like that; session.c takes it away
_PLACEHOLDER = "eryx: call of asyncio.run"
_DISPLAY = "eryx: call of sys.displayhook"
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp,
           ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Cache(dict):
    """linecache.cache, which also finds the sources of executions."""

    def __contains__(self, filename):
        return dict.__contains__(self, filename) or _eryx.source(filename) is not None

    def __getitem__(self, filename):
        source = _eryx.source(filename)
        if source is None:
            return dict.__getitem__(self, filename)
        return len(source), None, [line + "\n" for line in source.splitlines()], filename


class _Awaiter(ast.NodeTransformer):
    """Turns top-level `asyncio.run(x)` into `await PLACEHOLDER(asyncio.run, x)`."""

    def __init__(self):
        self.found = False

    def visit(self, node):
        return node if isinstance(node, _SCOPES) else super().visit(node)

    def visit_Call(self, node):
        self.generic_visit(node)
        called = node.func
        if not (isinstance(called, ast.Attribute) and called.attr == "run"
                and isinstance(called.value, ast.Name)
                or isinstance(called, ast.Name) and called.id == "run"):
            return node
        self.found = True
        call = ast.Call(ast.copy_location(ast.Constant(_PLACEHOLDER), called),
                        [called, *node.args], node.keywords)
        return ast.copy_location(ast.Await(ast.copy_location(call, node)), node)


def _display(value):
    sys.displayhook(value)


def _keep_last(tree):
    """Assigns the value of the last statement, if it is an expression, to LAST_NAME."""
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return False
    target = ast.copy_location(ast.Name(LAST_NAME, ast.Store()), last)
    last.value = ast.copy_location(ast.NamedExpr(target, last.value), last.value)
    return True


class _Displayer(ast.NodeTransformer):
    """Hands values of expression statements outside of functions to sys.displayhook."""

    def __init__(self):
        self.found = False

    def visit(self, node):
        return node if isinstance(node, _SCOPES) else super().visit(node)

    def visit_Expr(self, node):
        hook = ast.copy_location(ast.Constant(_DISPLAY), node.value)
        node.value = ast.copy_location(ast.Call(hook, [node.value], []), node.value)
        self.found = True
        return node


def compile_again(code, source, filename, flags, suspendable, keep_last, display):
    """`code`, or the same with top-level calls of asyncio.run awaited (`suspendable`), the last
    expression's value kept (`keep_last`) and values displayed (`display`).

    Returns (code, alone): alone if the awaits are only ours, so that no loop must run around
    them."""
    tree = ast.parse(source, filename)
    awaiter = _Awaiter()
    if suspendable:
        tree = awaiter.visit(tree)
    changed = awaiter.found
    if keep_last and _keep_last(tree):
        changed = True
    if display:
        displayer = _Displayer()
        if display == 2:
            tree = displayer.visit(tree)
        elif tree.body and isinstance(tree.body[-1], ast.Expr):
            displayer.visit(tree.body[-1])
        changed = changed or displayer.found
    if not changed:
        return code, False
    # What there is to warn of was said for `code`.
    with warnings.catch_warnings(module=warnings, action="ignore"):
        awaited = compile(tree, filename, "exec", flags, dont_inherit=True)
    functions = {_PLACEHOLDER: _eryx_driver.await_call, _DISPLAY: _display}
    constants = tuple(functions.get(constant, constant) if isinstance(constant, str) else constant
                      for constant in awaited.co_consts)
    return (awaited.replace(co_consts=constants),
            awaiter.found and not code.co_flags & CO_COROUTINE)


def install():
    linecache.cache = Cache(linecache.cache)
