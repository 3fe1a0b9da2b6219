# Python recursion without end raises RecursionError, and the program goes on.
import functools
import sys


def attempt(name, function):
    try:
        function()
    except RecursionError:
        print(name, 'RecursionError')
    else:
        print(name, 'returned')


def plain():
    return plain()


def ping():
    return pong()


def pong():
    return ping()


class Deep:
    def __repr__(self):
        return repr(self)

    def __getattr__(self, name):
        return getattr(self, name + 'x')

    def __eq__(self, other):
        return self == other

    def __lt__(self, other):
        return self < other

    def __hash__(self):
        return hash(self)

    def __add__(self, other):
        return self + other

    def __iter__(self):
        return iter(self)

    def __call__(self):
        return self()

    @property
    def value(self):
        return self.value

    @functools.cached_property
    def cached(self):
        return self.cached


def generator():
    yield from generator()


def through_sort():
    sorted([2, 1], key=lambda x: through_sort())


def through_map():
    return list(map(lambda x: through_map(), [1]))


def through_eval():
    return eval('through_eval()')


def through_exec():
    exec('through_exec()')


@functools.lru_cache
def through_cache(n):
    return through_cache(n + 1)


def through_except():
    try:
        through_except()
    finally:
        through_except_inner()


def through_except_inner():
    pass


deep = Deep()
attempt('plain', plain)
attempt('mutual', ping)
attempt('repr', lambda: repr(deep))
attempt('str.format', lambda: f'{deep}')
attempt('getattr', lambda: deep.missing)
attempt('eq', lambda: deep == 1)
attempt('lt', lambda: deep < 1)
attempt('hash', lambda: hash(deep))
attempt('add', lambda: deep + 1)
attempt('iter', lambda: list(deep))
attempt('call', deep)
attempt('property', lambda: deep.value)
attempt('cached_property', lambda: deep.cached)
attempt('generator', lambda: next(generator()))
attempt('sort key', through_sort)
attempt('map', through_map)
attempt('eval', through_eval)
attempt('exec', through_exec)
attempt('lru_cache', lambda: through_cache(0))
attempt('finally', through_except)
attempt('lambda', lambda f=[None]: (f.__setitem__(0, lambda: f[0]()), f[0]())[1])

for i in range(100):
    try:
        plain()
    except RecursionError:
        pass
print('a hundred times')


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


print('legal depth', depth(500))
sys.setrecursionlimit(20000)
print('raised limit', depth(15000))
print('goes on', file=sys.stderr)
