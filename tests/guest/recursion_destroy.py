# Destroying what is nested deeply needs no deep stack.
# memory: 1024
import ast
import collections
import functools
import gc
import pickle
import sys


class Node:
    def __init__(self, child):
        self.child = child


class Slotted:
    __slots__ = ('child',)

    def __init__(self, child):
        self.child = child


def nested(make, depth):
    value = make(None)
    for _ in range(depth):
        value = make(value)
    return value


def closure(child):
    return lambda: child


for name, make in [('list', lambda x: [x]), ('tuple', lambda x: (x,)), ('pair', lambda x: (x, [])),
                   ('dict', lambda x: {0: x}), ('object', Node), ('slots', Slotted),
                   ('partial', lambda x: functools.partial(print, x)), ('closure', closure),
                   ('generator', lambda x: (y for y in [x])), ('deque', lambda x: collections.deque([x])),
                   ('iterator', lambda x: iter([x])), ('map', lambda x: map(x, [])),
                   ('exception', lambda x: ValueError(x)), ('method', lambda x: Node(x).__init__),
                   ('ast', lambda x: ast.UnaryOp(ast.USub(), x))]:
    nested(make, 1_000_000 if name != 'ast' else 100_000)
    print(name, flush=True)

pickle.loads(b']' * 10**6 + b'a' * (10**6 - 1) + b'.')
pickle.loads(b'(' * 10**6 + b't' * 10**6 + b'.')
print('pickle')
gc.disable()  # else it walks over the chain again and again
try:
    kept = None
    while True:
        kept = (kept, [], bytes(400))
except MemoryError:
    kept = None
print('all of the memory', file=sys.stderr)
