# memory: 128
# Programs of all kinds run out of memory at every step they take: MemoryError, and no crash.
import collections
import copy
import csv
import datetime
import decimal
import fractions
import functools
import gc
import io
import itertools
import json
import pickle
import random
import re
import sqlite3
import string
import struct
import sys
import textwrap
import zlib

gc.disable()

TEXT = 'The quick brown fox jumps over the lazy dog. ' * 40
WORDS = TEXT.split()
NUMBERS = list(range(1000, 1400))
DOCUMENT = {'words': WORDS, 'numbers': NUMBERS, 'nested': [{'a': [1.5, None, True]}] * 20}
JSON = json.dumps(DOCUMENT)
PICKLE = pickle.dumps(DOCUMENT)
Point = collections.namedtuple('Point', 'x y')


class Node:
    def __init__(self, value, *rest, **named):
        self.value, self.rest = value, rest
        self.__dict__.update(named)

    def __add__(self, other):
        return Node(self.value + other.value)

    def __lt__(self, other):
        return self.value < other.value

    @property
    def double(self):
        return [self.value] * 2


def take(*values, **named):
    return values, named


def counter(limit):
    for i in range(limit):
        yield str(i)


def add_in_place():
    text = ''
    for word in WORDS:
        text += word
    return text


def add_wide():
    text = ''
    for word in WORDS:
        text += word + '\u20ac\U0001f40d'
    return text


def add_two():
    text = 'a' * 500
    for word in WORDS:
        text = text + word
        other = word + text
    return other


def add_attribute():
    node = Node('')
    for word in WORDS:
        node.value += word
    return node


def add_item():
    items = ['', b'', (), []]
    for word in WORDS:
        items[0] += word
        items[1] += word.encode()
        items[2] += (word,)
        items[3] += [word]
    return items


def format_strings():
    return [f'{word!r:>40}{i:08x}{i / 7:.3f}{word}' for i, word in enumerate(WORDS)]


def format_others():
    return ['%s %d %r %5.2f' % (word, i, word, i) + '{:>10}{}'.format(i, word)
            for i, word in enumerate(WORDS)]


def grow_list():
    items = []
    for i in range(5000):
        items.append(i * 1000)
        items.extend((i, [i]))
    return items[::2], items[10:4000], [*items, *items]


def grow_dict():
    items = {}
    for i in range(3000):
        items[str(i)] = {i: i}
    return {**items, 'a': 1}, items | {1: 2}, dict(items), {v: k for k, v in enumerate(items)}


def grow_set():
    items = {str(i) for i in range(3000)}
    items.update(range(3000))
    return items | {1}, frozenset(items), {*items, None}, items - {2}, items & items


def tuples():
    items = ()
    for i in range(300):
        items = (*items, i, (i, str(i)))
    return items, tuple(items), items * 20, items[1:], items + items


def comprehensions():
    return ([[j for j in range(20)] for i in range(100)], {i: [i] for i in range(500)},
            {str(i) for i in range(500)}, list(str(i) for i in range(500)))


def calls():
    results = []
    for i in range(500):
        results.append(take(i, str(i), *NUMBERS[:20], a=i, b=[i], **{str(i): i}))
        results.append(functools.partial(take, i, c=i)(*results[:3]))
        results.append((lambda *a, **k: (a, k))(i, d=str(i)))
    return results


def objects():
    nodes = [Node(i, i, [i], name=str(i), other=i) for i in range(500)]
    return nodes, [n + n for n in nodes], [n.double for n in nodes], sorted(nodes), \
        [Point(n, i) for i, n in enumerate(nodes)], [n.__add__ for n in nodes]


def attributes():
    node = Node(0)
    for i in range(2000):
        setattr(node, 'name%d' % i, i)
    return {name: getattr(node, name) for name in dir(node)}, vars(node).copy()


def classes():
    made = []
    for i in range(60):
        class Made(Node):
            __slots__ = ('field%d' % i,)

            def method(self, x=i, *, y: 'int' = i):
                return super().__add__, x, y, made
        made.append(Made(i).method())
    return made


def generators():
    running = [counter(50) for _ in range(300)]
    return [next(g) for g in running], list(zip(*running)), [x for g in running for x in g]


def unpacking():
    results = []
    for i in range(1000):
        first, *rest, last = str(i), *NUMBERS[:30], [i]
        results.append((rest, first, last))
        a, b, c = 'x%d' % i, (i, first), {first: i}
        results.append([c, b, a])
    return results


def closures():
    return [(lambda x: lambda y=i: (x, y, i))(str(i)) for i in range(1000)]


def exceptions():
    results = []
    for i in range(500):
        try:
            try:
                [].__getitem__(i)
            except IndexError as error:
                raise ValueError('no %d' % i, error) from error
        except* ValueError as group:
            results.append(group)
    return results


def matching():
    results = []
    for i in range(500):
        match [i, {'k': str(i), 'z': i}, Point(i, [i])]:
            case [number, {'k': text, **rest}, Point(x=x, y=[*items])]:
                results.append((number, text, rest, x, items))
    return results


def integers():
    value, results = 3, []
    for i in range(600):
        value = value * 7 + (1 << i)
        results.append((value, -value, value >> 3, value // 11, value % 10**9, ~value, value ^ i))
    return results, str(value), int(str(value)), hex(value), value ** 3, pow(3, value, 10**50)


def numbers():
    return ([i / 7 for i in range(3000)], [complex(i, 1) * 2 for i in range(1000)],
            [decimal.Decimal(i) / 7 for i in range(500)], sum(fractions.Fraction(1, i) for i in range(1, 60)),
            [i * 1.5 + 0.5 - i for i in range(3000)], [float(str(i)) for i in range(1000)])


def byte_strings():
    data, array = b'', bytearray()
    for i in range(500):
        data += b'%d,' % i
        array += data[-20:]
        array.append(i & 255)
    return data * 10, array * 3, data.split(b','), data.hex(), bytes(array), memoryview(array)[::2].tolist()


def text_methods():
    return (TEXT.split(), ' '.join(WORDS), TEXT.replace('quick', 'a slow'), TEXT.upper(), TEXT.title(),
            TEXT.encode('utf-16'), TEXT.encode().decode(), TEXT.center(9000), TEXT.translate({97: 'aaa'}),
            TEXT.partition('lazy'), TEXT.splitlines(), TEXT * 5, TEXT[::-1], TEXT[5:-5], list(TEXT),
            textwrap.wrap(TEXT), string.Template('$a $b').substitute(a=TEXT, b=1), TEXT.casefold(), repr(TEXT))


def json_both_ways():
    return json.loads(JSON), json.dumps(DOCUMENT), json.dumps(DOCUMENT, indent=2)


def pickle_both_ways():
    return pickle.loads(PICKLE), pickle.dumps(DOCUMENT), copy.deepcopy(DOCUMENT)


def expressions():
    return (re.findall(r'(\w)(\w+)', TEXT), re.sub(r'(o)(.)', r'\2\1', TEXT), re.split(r'\s+', TEXT),
            re.compile('(a|b)*c{2,5}(?P<name>x)' + str(len(NUMBERS))).match('abcx'), re.findall('.*?fox', TEXT))


def source():
    names = {}
    exec(compile('def f(a, *b, c=1, **d):\n    return [a + x for x in b if x not in d], f"{a}{c!r}"\n'
                 'class A:\n    x: int = 5\n    def g(self): return lambda: self\n' * 5, 'made', 'exec'), names)
    return names['f'](1, 2, 3), eval('[i for i in range(100)]', names)


def collections_():
    queue = collections.deque(WORDS)
    queue.extend(NUMBERS)
    ordered = collections.OrderedDict((w, i) for i, w in enumerate(WORDS))
    ordered.move_to_end('dog.')
    chained = collections.ChainMap({}, {'a': 1})
    groups = collections.defaultdict(list)
    for word in WORDS:
        groups[word].append(word)
    return queue * 3, collections.Counter(WORDS).most_common(), ordered, dict(chained), groups


def iterators():
    return (list(itertools.permutations(range(6), 3)), list(itertools.product('ab', repeat=6)),
            list(map(str, NUMBERS)), list(filter(None, NUMBERS)), list(zip(NUMBERS, WORDS)),
            list(itertools.chain(WORDS, NUMBERS)), [list(g) for _, g in itertools.groupby(WORDS)],
            sorted(WORDS, key=str.lower), list(reversed(NUMBERS)), list(itertools.accumulate(NUMBERS)),
            list(itertools.batched(NUMBERS, 3)), list(enumerate(WORDS)), max(WORDS, key=len))


def files():
    with open('torture.txt', 'w+') as file:
        file.writelines(WORDS)
        file.seek(0)
        text = file.read()
    buffer = io.StringIO()
    csv.writer(buffer).writerows([WORDS, NUMBERS])
    buffer.seek(0)
    return text, list(csv.reader(buffer)), io.BytesIO(PICKLE).readlines()


def database():
    with sqlite3.connect(':memory:') as connection:
        connection.execute('create table t (a, b)')
        connection.executemany('insert into t values (?, ?)', enumerate(WORDS))
        rows = connection.execute('select b, count(*), group_concat(a) from t group by b').fetchall()
    connection.close()
    return rows


def others():
    return (zlib.decompress(zlib.compress(TEXT.encode())), struct.pack('<500i', *range(500)),
            struct.unpack('<4i', bytes(16)), datetime.datetime(2026, 1, 2).isoformat(),
            datetime.timedelta(days=3) * 7, random.sample(NUMBERS, 100), slice(1, [2], (3,)),
            [range(i, i * 2) for i in range(500)], type('Made', (Node,), {'a': 1}), globals().copy())


SIZES = [8 << 20, 1 << 20, 128 << 10, 32 << 10, 8192, 2048, 1024, 512, 320, 192, 128, 80, 48, 1]
STEPS = [int(2000 * 1.3 ** i) for i in range(26)] + [0]
# Where CPython forgot to tell that memory ran out, it raises SystemError.
EXPECTED = {'NoneType', 'MemoryError', 'SystemError'}
filling = collections.deque()


def fill():
    for size in SIZES:
        try:
            filling.extend(map(bytes, itertools.repeat(size)))
        except MemoryError:
            pass


def torture(function):
    """Runs it with all memory taken but some bytes. Returns the names of exceptions."""
    names = set()
    for left in STEPS:
        reserve = [bytes(1000) for _ in range(left // 1000)]
        fill()
        reserve.clear()
        caught = None
        try:
            function()
        except BaseException as error:
            caught = error
        filling.clear()
        names.add(type(caught).__name__)
        caught = None
        gc.collect()
    return names


for function in [add_in_place, add_wide, add_two, add_attribute, add_item, format_strings, format_others,
                 grow_list, grow_dict, grow_set, tuples, comprehensions, calls, objects, attributes, classes,
                 generators, unpacking, closures, exceptions, matching, integers, numbers, byte_strings,
                 text_methods, json_both_ways, pickle_both_ways, expressions, source, collections_, iterators,
                 files, database, others]:
    names = torture(function)
    print(function.__name__, 'MemoryError' in names, *sorted(names - EXPECTED), flush=True)
print('goes on', file=sys.stderr)
