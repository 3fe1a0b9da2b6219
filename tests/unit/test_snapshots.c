/* Snapshots of sessions: what programs define goes to another sandbox and, saved there again, back;
 * what cannot be saved is named; what is no good snapshot is refused and changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "signals.h"

static eryx_sandbox_t *new_sandbox(uint64_t snapshot_bytes) {
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    if (snapshot_bytes)
        options.limits.snapshot_bytes = snapshot_bytes;
    eryx_sandbox_t *sandbox = NULL;
    signals_restore();
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    return sandbox;
}

struct snapshot {
    void *data;
    size_t length;
};

static struct snapshot save(eryx_sandbox_t *sandbox) {
    struct snapshot saved;
    eryx_error_t error = {0};
    if (eryx_sandbox_snapshot(sandbox, NULL, &saved.data, &saved.length, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return saved;
}

/* Frees the snapshot. */
static void restore(eryx_sandbox_t *sandbox, struct snapshot saved) {
    eryx_error_t error = {0};
    if (eryx_sandbox_restore(sandbox, saved.data, saved.length, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    eryx_bytes_free(saved.data);
}

/* Defines in one sandbox, uses in a second and, from a snapshot of that, in a third. */
static void expect_kept(const char *define, const char *use, const char *output) {
    eryx_sandbox_t *sandboxes[3];
    for (int i = 0; i < 3; i++)
        sandboxes[i] = new_sandbox(0);
    expect(sandboxes[0], define, "");
    expect(sandboxes[0], "names = sorted(n for n in globals() if n[0] != '_')", "");
    for (int i = 1; i < 3; i++) {
        restore(sandboxes[i], save(sandboxes[i - 1]));
        expect(sandboxes[i],
               "print(names == sorted(n for n in globals() if n[0] != '_' and "
               "n != 'names'))\n",
               "True\n");
    }
    for (int i = 0; i < 3; i++) {
        expect(sandboxes[i], use, output);
        eryx_sandbox_free(sandboxes[i]);
    }
}

static void test_values(void **state) {
    (void)state;
    expect_kept(
        "import collections, datetime, decimal, math as m, pathlib, re, types, string\n"
        "from os.path import join\n"
        "x = [1]; shared = [x, x]; ring = []; ring.append(ring)\n"
        "dd = collections.defaultdict(list, a=[1]); dq = collections.deque([1, 2], 5)\n"
        "cn = collections.Counter('aab'); od = collections.OrderedDict(a=1)\n"
        "dt = datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc)\n"
        "dec = decimal.Decimal('1.5'); rx = re.compile('a+'); pa = pathlib.Path('/tmp/x')\n"
        "by = b'\\x00\\xff'; big = 10**50; cx = 1+2j; fs = frozenset({1}); sl = slice(1, 2)\n"
        "up = 'abc'.upper; sqrt = m.sqrt; tup = (1, (2, [3])); ns = types.SimpleNamespace(a=1)\n"
        "proxy = types.MappingProxyType({'a': x}); template = string.Template('$x')\n"
        "def counts(): return dd['zz'], cn['a'], dq.maxlen\n",
        "print(shared[0] is shared[1] is x is proxy['a'], ring[0] is ring, counts())\n"
        "print(dt, dec, rx.match('aab').group(), pa, by, big, cx, fs, sl, up(), sqrt(4), tup)\n"
        "print(ns, od, join('a', 'b'), m.pi > 3, template.substitute(x=1))\n",
        "True True ([], 2, 5)\n"
        "2020-01-02 00:00:00+00:00 1.5 aa /tmp/x b'\\x00\\xff' "
        "100000000000000000000000000000000000000000000000000 (1+2j) frozenset({1}) "
        "slice(1, 2, None) ABC 2.0 (1, (2, [3]))\n"
        "namespace(a=1) OrderedDict({'a': 1}) a/b True 1\n");
}

static void test_functions(void **state) {
    (void)state;
    expect_kept(
        "import contextlib, functools\n"
        "scale = 2\n"
        "def f(a, b=2, *c, d: int = 3, **e):\n    'doc'\n    return (a + b + d) * scale\n"
        "def counter(n):\n"
        "    def add(k):\n        nonlocal n\n        n += k\n        return n\n"
        "    return add, lambda: n\n"
        "add, get = counter(10)\n"
        "@functools.lru_cache(maxsize=5)\n"
        "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
        "def decorate(function):\n"
        "    @functools.wraps(function)\n"
        "    def wrapper(*a): return 'wrapped', function(*a)\n"
        "    return wrapper\n"
        "@decorate\ndef g(a): return a\n"
        "part = functools.partial(f, 1, d=5)\n"
        "async def co(v): return v\n"
        "async def agen():\n    yield 1\n"
        "def gen(): yield from (1, 2)\n"
        "@contextlib.contextmanager\ndef manager(): yield 'inside'\n"
        "@functools.singledispatch\ndef kind(x): return 'any'\n"
        "@kind.register\ndef _(x: int): return 'int'\n"
        "f.mark = [1]\n",
        "scale = 3\n"
        "print(f(1), f.__doc__, f.__annotations__, f.mark, add(5), get(), fib(12), part(2))\n"
        "print(g(7), g.__name__, await co(3), list(gen()), [i async for i in agen()])\n"
        "with manager() as inside: print(inside, kind(1), kind('x'))\n",
        "18 doc {'d': <class 'int'>} [1] 15 15 144 24\n"
        "('wrapped', 7) g 3 [1, 2] [1]\ninside int any\n");
}

static void test_classes(void **state) {
    (void)state;
    expect_kept(
        "import abc, functools\n"
        "class Base(abc.ABC):\n"
        "    made = 0\n"
        "    @abc.abstractmethod\n    def area(self): ...\n"
        "    @classmethod\n    def make(cls, *a):\n        cls.made += 1\n        return cls(*a)\n"
        "    @staticmethod\n    def helper(v): return v + 1\n"
        "    @property\n    def double(self): return self.area() * 2\n"
        "class Square(Base):\n"
        "    __slots__ = 'side',\n"
        "    def __init__(self, side): self.side = side\n"
        "    def area(self): return self.side ** 2\n"
        "    def up(self): return super().double, __class__.__name__\n"
        "s = Square.make(3); bound = s.area\n"
        "class Meta(type):\n    def hi(cls): return 'hi ' + cls.__name__\n"
        "class WithMeta(metaclass=Meta):\n    class Inner:\n        def q(self): return 9\n"
        "inner = WithMeta.Inner()\n"
        "class Failure(Exception):\n    def __init__(self, a, b):\n"
        "        super().__init__(a, b)\n        self.b = b\n"
        "failure = Failure('boom', 3)\n"
        "class Named:\n    def __set_name__(self, owner, name): self.name = name\n"
        "    def __get__(self, instance, owner): return self.name\n"
        "class User:\n    field = Named()\n"
        "class Node:\n    def __init__(self): self.next = self\n"
        "node = Node()\n"
        "class Cached:\n    @functools.cached_property\n    def v(self): return 42\n"
        "class D(dict): pass\nd = D(a=1); d.x = 5\n"
        "class State:\n    def __getstate__(self): return {'k': 1}\n"
        "    def __setstate__(self, state): self.s = state\n"
        "st = State(); st.s = {'k': 1}\n",
        "print(s.area(), s.double, s.up(), Square.helper(1), Square.made, bound())\n"
        "print(isinstance(s, Base), WithMeta.hi(), inner.q(), type(inner).__qualname__)\n"
        "try: Base()\nexcept TypeError as error: print(error)\n"
        "try: raise failure\nexcept Failure as error: print(error.args, error.b)\n"
        "print(User().field, node.next is node, Cached().v, d, d.x, st.s, hasattr(s, "
        "'__dict__'))\n",
        "9 18 (18, 'Square') 2 1 9\nTrue hi WithMeta 9 WithMeta.Inner\n"
        "Can't instantiate abstract class Base without an implementation for abstract method "
        "'area'\n('boom', 3) 3\nfield True 42 {'a': 1} 5 {'k': 1} True\n");
}

static void test_declared_classes(void **state) {
    (void)state;
    expect_kept(
        "import collections, dataclasses, enum, typing\n"
        "@dataclasses.dataclass(order=True)\nclass P:\n"
        "    x: int\n    y: list = dataclasses.field(default_factory=list)\n"
        "    def shift(self, by: 'int') -> 'P': return P(self.x + by, self.y)\n"
        "p = P(1, [2])\n"
        "@dataclasses.dataclass(frozen=True, slots=True)\nclass F:\n    a: int = 1\n"
        "f = F(2)\n"
        "class Color(enum.Enum):\n    RED = 1\n    GREEN = 2\n"
        "    def low(self): return self.name.lower()\n"
        "color = Color.GREEN\n"
        "class Bits(enum.Flag):\n    A = enum.auto()\n    B = enum.auto()\n"
        "bits = Bits.A | Bits.B\n"
        "NT = collections.namedtuple('NT', 'a b'); nt = NT(1, 2)\n"
        "class TN(typing.NamedTuple):\n    a: int\n    b: str = 'x'\n"
        "tn = TN(5)\n"
        "class TD(typing.TypedDict, total=False):\n    a: int\n"
        "class Proto(typing.Protocol):\n    def m(self) -> int: ...\n"
        "class Impl:\n    def m(self): return 3\n"
        "impl: Proto = Impl()\n",
        "print(p, P(2) > p, p.shift(1), dataclasses.asdict(p), P(3), P.__annotations__['x'])\n"
        "print(f, hash(f) == hash(F(2)), F())\n"
        "print(color is Color.GREEN, Color(1), color.low(), bits, Bits.B in bits)\n"
        "print(nt, nt.a, tn, TN(1)._replace(b='q'), TD(a=1), TD.__total__, impl.m())\n",
        "P(x=1, y=[2]) True P(x=2, y=[2]) {'x': 1, 'y': [2]} P(x=3, y=[]) <class 'int'>\n"
        "F(a=2) True F(a=1)\n"
        "True Color.RED green Bits.A|B True\n"
        "NT(a=1, b=2) 1 TN(a=5, b='x') TN(a=1, b='q') {'a': 1} False 3\n");
}

static void test_generics(void **state) {
    (void)state;
    expect_kept("import typing\n"
                "T = typing.TypeVar('T', bound=int); Q = typing.ParamSpec('Q')\n"
                "class Box(typing.Generic[T]):\n    def __init__(self, v: T): self.v = v\n"
                "box: Box[int] = Box(4)\n"
                "class New[U]:\n    def __init__(self, u: U): self.u = u\n    def get(self) -> U: "
                "return self.u\n"
                "new = New('x')\n"
                "def first[V](items: list[V]) -> V: return items[0]\n"
                "type Pair = tuple[int, int]\n"
                "Id = typing.NewType('Id', int); one = Id(1)\n",
                "print(box.v, Box[int], Box.__parameters__, T.__bound__, Q)\n"
                "print(new.get(), New[int], New.__type_params__, first([7]), Pair.__value__)\n"
                "print(Id(2), Id, one)\n",
                "4 __main__.Box[int] (~T,) <class 'int'> ~Q\n"
                "x __main__.New[int] (U,) 7 tuple[int, int]\n2 __main__.Id 1\n");
}

/* --- Refused ------------------------------------------------------------------------------ */

static void expect_unsaved(eryx_sandbox_t *sandbox, const char *define, const char *reason) {
    struct snapshot saved = {0};
    eryx_error_t error = {0};
    expect(sandbox, define, "");
    int status = eryx_sandbox_snapshot(sandbox, NULL, &saved.data, &saved.length, &error);
    if (status != ERYX_ERR_STATE || !strstr(error.message, reason))
        fail_msg("%s: %d %s, not %s", define, status, error.message, reason);
    eryx_snapshot_options_t options;
    eryx_snapshot_options_init(&options);
    options.skip_unpicklable = true;
    assert_int_equal(eryx_sandbox_snapshot(sandbox, &options, &saved.data, &saved.length, &error),
                     ERYX_OK);
    eryx_sandbox_t *other = new_sandbox(0);
    restore(other, saved);
    expect(other, "print(kept, 'bad' in globals())", "1 False\n");
    eryx_sandbox_free(other);
    expect(sandbox, "print(kept, 'bad' in globals())\ndel bad", "1 True\n");
}

static void test_unsaved(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0);
    expect(sandbox, "kept = 1", "");
    expect_unsaved(sandbox, "bad = (i for i in [1])", "bad (TypeError: cannot pickle 'generator'");
    expect_unsaved(sandbox, "bad = open('/tmp/file', 'w')", "bad (TypeError");
    expect_unsaved(sandbox, "import sqlite3\nbad = sqlite3.connect(':memory:')", "bad (TypeError");
    expect_unsaved(sandbox, "import threading\nbad = threading.Lock()", "bad (TypeError");
    expect_unsaved(sandbox, "bad = type(asyncio)('mine')", "module 'mine' is not importable");
    expect_unsaved(sandbox,
                   "class bad:\n    def __reduce__(self): raise ValueError('no way')\nbad = bad()",
                   "bad (ValueError: no way)");
    expect_unsaved(sandbox, "bad = []\nfor _ in range(100000): bad = [bad]", "bad (RecursionError");
    eryx_sandbox_free(sandbox);
}

static void expect_refused(eryx_sandbox_t *sandbox, const void *data, size_t length, int status,
                           const char *reason) {
    eryx_error_t error = {0};
    int got = eryx_sandbox_restore(sandbox, data, length, &error);
    if (got != status || !strstr(error.message, reason))
        fail_msg("%d %s, not %d %s", got, error.message, status, reason);
    expect(sandbox, "print(kept, sorted(n for n in globals() if n[0] != '_'))",
           "1 ['asyncio', 'call', 'call_blocking', 'kept']\n");
}

static void test_refused(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(1000), *other = new_sandbox(0);
    expect(sandbox, "kept = 1", "");
    struct snapshot saved = save(sandbox);
    for (size_t length = 0; length < saved.length; length += 7)
        expect_refused(sandbox, saved.data, length, ERYX_ERR_FORMAT, "");
    unsigned char *bytes = saved.data;
    for (size_t i = 0; i < saved.length; i += 5) {
        bytes[i] ^= 0x20;
        expect_refused(sandbox, bytes, saved.length, ERYX_ERR_FORMAT, "");
        bytes[i] ^= 0x20;
    }
    eryx_bytes_free(saved.data);
    expect(other, "import _eryx_state\n_eryx_state._RUNTIME = 'cpython-315 little'\nother = 1", "");
    saved = save(other);
    expect_refused(sandbox, saved.data, saved.length, ERYX_ERR_FORMAT,
                   "another runtime (cpython-315 little");
    eryx_bytes_free(saved.data);
    expect(other,
           "_eryx_state._RUNTIME = 5\nclass Bad:\n"
           "    def __reduce__(self): return int, ('x',)\nbad = Bad()",
           "");
    saved = save(other);
    expect_refused(sandbox, saved.data, saved.length, ERYX_ERR_FORMAT, "ValueError");
    eryx_bytes_free(saved.data);
    expect(other, "bad = 'a' * 2000", "");
    saved = save(other);
    expect_refused(sandbox, saved.data, saved.length, ERYX_ERR_LIMIT, "snapshot_bytes");
    eryx_bytes_free(saved.data);
    expect(sandbox, "big = 'a' * 2000", "");
    eryx_error_t error = {0};
    assert_int_equal(eryx_sandbox_snapshot(sandbox, NULL, &saved.data, &saved.length, &error),
                     ERYX_ERR_LIMIT);
    expect(sandbox, "print(kept, len(big))", "1 2000\n");
    eryx_sandbox_free(sandbox);
    eryx_sandbox_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_functions),
        cmocka_unit_test(test_classes),  cmocka_unit_test(test_declared_classes),
        cmocka_unit_test(test_generics), cmocka_unit_test(test_unsaved),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
