# Objects: dataclasses, enum, pickle, copy, typing, abc, functools, itertools, collections, contextlib, weakref.
import abc
import collections
import contextlib
import copy
import dataclasses
import enum
import functools
import gc
import heapq
import itertools
import operator
import pickle
import types
import typing
import weakref


@dataclasses.dataclass(order=True, frozen=True)
class Point:
    x: int
    y: int = 0
    tags: list = dataclasses.field(default_factory=list, compare=False)


p = Point(1, 2, ['a'])
print(p, p < Point(1, 3), dataclasses.asdict(p), dataclasses.replace(p, x=5), hash(p) == hash(Point(1, 2)))
try:
    p.x = 3
except dataclasses.FrozenInstanceError as error:
    print(error)


class Color(enum.Enum):
    RED = enum.auto()
    BLUE = 'b'


class Right(enum.IntFlag):
    READ = 1
    WRITE = 2


print(Color.RED, Color('b'), Right.READ | Right.WRITE, Right(3) & Right.WRITE, list(Color), Color['RED'].value)
try:
    Color('nope')
except ValueError as error:
    print(error)


class Custom:
    def __init__(self, n):
        self.n, self.me = n, self

    def __reduce__(self):
        return Custom, (self.n,)


for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    data = pickle.dumps([p, Color.RED, {1, 2}, 1.5, 'ä', None, 10**30, b'x', range(3), Custom(7).n], protocol)
    print(protocol, pickle.loads(data)[:2])
print(pickle.loads(pickle.dumps(Custom(9))).n)
cyclic = [1]
cyclic.append(cyclic)
print(copy.deepcopy(cyclic), pickle.loads(pickle.dumps(cyclic)), copy.copy(p) is not p)
for bad in (lambda: pickle.dumps(lambda: 1), lambda: pickle.loads(b'junk'), lambda: pickle.loads(b'')):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__)


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...


try:
    Shape()
except TypeError as error:
    print(error)
print(typing.get_type_hints(Point), typing.get_origin(dict[str, int]), int | None)


@typing.runtime_checkable
class Sized(typing.Protocol):
    def __len__(self) -> int: ...


print(isinstance([], Sized), isinstance(1, Sized))
type Pair[T] = tuple[T, T]
print(Pair[int], Pair.__value__)


def first[T](items: list[T]) -> T:
    return items[0]


print(first([3]), first.__type_params__)


@functools.singledispatch
def describe(value):
    return 'thing'


@describe.register
def _(value: int):
    return 'int'


print(describe(1), describe('x'), functools.reduce(operator.mul, range(1, 6)), functools.partial(pow, 2)(10))
print(functools.lru_cache(lambda n: n * 2)(4), sorted('bca', key=functools.cmp_to_key(lambda a, b: (a < b) - (a > b))))
print(list(itertools.batched('abcdefg', 3)), list(itertools.accumulate([1, 2, 3])), list(itertools.pairwise('abc')))
print([''.join(x) for x in itertools.permutations('abc', 2)], list(itertools.groupby('aab'))[0][0], next(itertools.count(5)))
print(collections.Counter('mississippi').most_common(2), collections.defaultdict(list, a=[1]), collections.deque([1, 2, 3], 2))
print(collections.OrderedDict(a=1), collections.namedtuple('P', 'x y')(1, 2), collections.ChainMap({'a': 1}, {'b': 2})['b'])
print(heapq.nsmallest(3, [5, 1, 4, 2]), list(heapq.merge([1, 4], [2, 3])), types.SimpleNamespace(a=1))

with contextlib.ExitStack() as stack:
    for name in 'ab':
        stack.callback(print, 'exit', name)
    stack.enter_context(contextlib.suppress(KeyError))
    {}['x']
with contextlib.redirect_stdout(__import__('io').StringIO()) as text:
    print('hidden')
print(repr(text.getvalue()))


def countdown(n):
    while n:
        sent = yield n
        n = sent if sent is not None else n - 1
    return 'done'


def outer():
    result = yield from countdown(2)
    yield result


generator = countdown(5)
print(next(generator), generator.send(2), next(generator), list(outer()), list(generator))


class Tracked:
    pass


tracked = Tracked()
reference = weakref.ref(tracked, lambda _: print('collected'))
tracked.me = tracked
del tracked
print(gc.collect() > 0, reference())

match {'kind': 'move', 'to': [1, 2, 3]}:
    case {'kind': 'move', 'to': [x, *rest]} if x:
        print('match', x, rest)


class Meta(type):
    def __new__(cls, name, bases, namespace, **options):
        made = super().__new__(cls, name, bases, namespace)
        made.options = options
        return made


class WithMeta(metaclass=Meta, flag=True):
    def __init_subclass__(cls):
        print('subclass', cls.__name__)


class Sub(WithMeta):
    __slots__ = ('a',)

    def __set_name__(self, owner, name):
        pass


print(WithMeta.options, Sub.__mro__[1].__name__)
try:
    raise ExceptionGroup('many', [ValueError(1), TypeError(2)])
except* ValueError as group:
    print('values', group.exceptions)
except* TypeError as group:
    print('types', group.exceptions)
