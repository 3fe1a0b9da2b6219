# Recursion in C code ends in an exception, never in a crash of the sandbox.
import ast
import copy
import functools
import itertools
import json
import marshal
import pickle
import re
import sys
import xml.etree.ElementTree as ElementTree

DEEP = 100_000
ENDS = (RecursionError, MemoryError, OverflowError, SyntaxError, ValueError, TypeError, re.error)


def attempt(name, function):
    try:
        function()
    except ENDS:
        pass
    print(name, 'goes on')


def raises(name, function, kind=RecursionError):
    try:
        function()
    except kind:
        print(name, kind.__name__)
    else:
        print(name, 'returned')


def nested(make, depth=DEEP):
    value = make(None)
    for _ in range(depth):
        value = make(value)
    return value


def chained(combine, start, count=DEEP):
    value = start
    for _ in range(count):
        value = combine(value)
    return value


raises('json.loads list', lambda: json.loads('[' * 10**6))
raises('json.loads dict', lambda: json.loads('{"a":' * 10**6))
raises('json.dumps', lambda: json.dumps(nested(lambda x: [x])))
raises('repr list', lambda: repr(nested(lambda x: [x])))
raises('repr tuple', lambda: repr(nested(lambda x: (x,))))
raises('repr dict', lambda: repr(nested(lambda x: {1: x})))
raises('compare', lambda: nested(lambda x: [x]) == nested(lambda x: [x]))
attempt('hash tuple', lambda: hash(nested(lambda x: (x,))))
raises('copy.deepcopy', lambda: copy.deepcopy(nested(lambda x: [x])))
raises('pickle.dumps', lambda: pickle.dumps(nested(lambda x: [x])))
attempt('isinstance', lambda: isinstance(1, nested(lambda x: (x,))))
attempt('issubclass', lambda: issubclass(int, nested(lambda x: (x,))))
raises('str.startswith', lambda: 'a'.startswith(nested(lambda x: (x,))), TypeError)
raises('marshal.dumps', lambda: marshal.dumps(nested(lambda x: [x])), ValueError)

attempt('marshal.loads', lambda: marshal.loads(b'(\x01\x00\x00\x00' * 10**5 + b'N'))
attempt('compile parentheses', lambda: compile('(' * 10**5 + ')' * 10**5, 'x', 'eval'))
attempt('compile lists', lambda: compile('[' * 10**5 + ']' * 10**5, 'x', 'eval'))
attempt('compile minus', lambda: compile('-' * 10**5 + '1', 'x', 'eval'))
attempt('compile not', lambda: compile('not ' * 10**5 + '1', 'x', 'eval'))
attempt('compile attributes', lambda: compile('a' + '.a' * 10**5, 'x', 'eval'))
attempt('compile calls', lambda: compile('a' + '()' * 10**5, 'x', 'eval'))
attempt('compile subscripts', lambda: compile('a' + '[0]' * 10**5, 'x', 'eval'))
attempt('compile sum', lambda: compile('+'.join(['a'] * 10**5), 'x', 'eval'))
attempt('compile power', lambda: compile('**'.join(['a'] * 10**5), 'x', 'eval'))
attempt('compile lambda', lambda: compile('lambda: ' * 10**5 + '1', 'x', 'eval'))
attempt('compile else', lambda: compile('1 if 1 else ' * 10**5 + '1', 'x', 'eval'))
attempt('compile elif', lambda: compile('if a: pass\n' + 'elif a: pass\n' * 10**4, 'x', 'exec'))
attempt('compile f-string', lambda: compile("f'{" * 200 + '1' + "}'" * 200, 'x', 'eval'))
attempt('compile await', lambda: compile('await ' * 10**5 + 'a', 'x', 'eval'))
attempt('ast.parse', lambda: ast.parse('[' * 1000 + ']' * 1000))
attempt('ast.literal_eval', lambda: ast.literal_eval('[' * 10**5 + ']' * 10**5))
attempt('re groups', lambda: re.compile('(' * 10**5 + ')' * 10**5))
attempt('re nested repeats', lambda: re.compile('(?:' * 5000 + 'a' + ')*' * 5000))
attempt('re match deep', lambda: re.match('(?:(a)|b)*', 'ab' * 10**6))
attempt('re lazy deep', lambda: re.match('(?:a|ab)*?c', 'ab' * 10**5))
attempt('xml', lambda: ElementTree.tostring(ElementTree.fromstring('<a>' * DEEP + '</a>' * DEEP)))
attempt('partial', lambda: repr(chained(functools.partial, print)))
attempt('partial call', lambda: chained(functools.partial, int)())
attempt('chain', lambda: list(chained(itertools.chain, iter(()))))
attempt('union type', lambda: repr(chained(lambda x: x | list[x], int, 3000)))
attempt('generic alias', lambda: repr(chained(lambda x: list[x], int, 10_000)))
attempt('exception chain', lambda: chained(lambda x: ExceptionGroup('x', [x]), ValueError(), 5000))
attempt('str.format', lambda: ('{:{:{}}}').format(1, 2, 3))
attempt('property chain', lambda: chained(property, None, 50_000))
attempt('class chain', lambda: chained(lambda x: type('C', (x,), {}), object, 2000))


def endless_repr_with_high_limit():
    class Endless:
        def __repr__(self):
            return repr([self])

    sys.setrecursionlimit(10**9)
    try:
        repr(Endless())
    finally:
        sys.setrecursionlimit(1000)


raises('repr, limit of a billion', endless_repr_with_high_limit)

print('goes on', file=sys.stderr)
