"""Runs what most programs do, before the image is taken. At build time only.

So code is specialised, caches and type slots are filled, and what is made lazily exists in the
image: a sandbox neither spends time on these nor writes to the pages they lie in. There is no host
to call: objects of C stand in for what asks it, so that call sites are specialised for such.
"""

import functools
import io
import json
import sys
from asyncio import tasks

import _eryx
import _eryx_callback
import _eryx_driver
import _eryx_report
import _eryx_session
import _eryx_source

ROUNDS = 4  # CPython specialises code when it runs for the second time
STEPS = 1000  # of an execution, at most
TOP_LEVEL_AWAIT = 0x2000

GENERAL = '''
import json, re, datetime, collections, dataclasses, asyncio
x = 1
def f(a, b=2, *c, **d):
    return [a + b for b in range(3)]
class C:
    def m(self): return f"{self!r:>10}"
f(1); C().m()
print(json.dumps({"a": [1, 2.5, None, True]}), json.loads('{"b": [1]}'), end="")
re.sub(r"(\\w+) (\\d*)", r"\\2", "hello world 12")
datetime.datetime(2020, 1, 1).isoformat()
@dataclasses.dataclass
class D:
    a: int = 0
D(1) == D(2)
sorted(["b", "a"], key=len); "%s %d" % ("a", 1); b"a".decode(); int("12"); float("1.5")
with open("/dev/null", "w") if False else __import__("io").StringIO() as out:
    out.write("x")
'''

CALLS = '''
import asyncio
print(await echo(1), await echo(value=1), await web.get("address"))
async def one(value):
    return await echo(value)
await asyncio.gather(one(1), wait(2), web.get("address"))
await asyncio.gather(*[wait(1), asyncio.sleep(0)])
async with asyncio.timeout(10), asyncio.TaskGroup() as group:
    tasks = [group.create_task(echo(4)), group.create_task(asyncio.sleep(0.00001))]
await asyncio.wait_for(echo(5), 10)
await asyncio.sleep(0)
await invoke("echo", '{"value": 1}')
list_callbacks()
now()
'''

RUN = '''
import asyncio
async def main():
    await asyncio.gather(echo(1), asyncio.sleep(0))
    return await wait(1)
asyncio.run(main())
'''

FAILURE = '''
def g():
    1 / 0
g()
'''

STATE = '''
number, text, items, table = 3, "text", [1, 2.5, None, "text"], {"a": (1, 2), "b": {3, 4}}
def function(a, b=1):
    return a + number
class Class:
    def __init__(self, value):
        self.value = value
    def method(self):
        return self.value
instance = Class(items)
'''

SCHEMA = {"type": "object", "required": ["value"], "properties": {
    "value": {"type": "number", "description": "a number"},
    "unit": {"type": "string", "default": "ms"}}}
CALLBACKS = [
    ("echo", "the value", json.dumps(SCHEMA)),
    ("wait", "null, later", json.dumps(SCHEMA)),
    ("web.get", "a page", '{"type": "object", "properties": {"url": {"type": "string"}}}'),
    ("now", "the time", json.dumps({_eryx_callback.BLOCKING_KEY: True})),
]


class _Host:
    """While active calls get numbers by their names, and are answered by `answer`; so only one of
    each name is pending at a time."""

    NUMBERS = {name: index for index, (name, _, _) in enumerate(CALLBACKS, start=1)}
    ANSWERS = {**NUMBERS, "now": (True, "1")}

    def __enter__(self):
        self.kept = _eryx.start, _eryx.pending, _eryx.cancel, tasks.Task
        # The program's first task is Task-1: those of the rehearsal take no numbers.
        tasks.Task = functools.partial(tasks.Task, name="rehearsal")
        _eryx.start = self.ANSWERS.get
        _eryx.pending = self.NUMBERS.copy
        _eryx.cancel = set().add

    def __exit__(self, *_):
        _eryx.start, _eryx.pending, _eryx.cancel, tasks.Task = self.kept

    def answer(self):
        for number in self.NUMBERS.values():
            _eryx_driver.returned(number, (True, "1"))


def _execute(host, source, namespace):
    """As execute.c does."""
    code = compile(source, "<rehearsal>", "exec", TOP_LEVEL_AWAIT, dont_inherit=True)
    if "asyncio.run" in source:
        code, alone = _eryx_source.compile_again(code, source, "<rehearsal>", TOP_LEVEL_AWAIT,
                                                 True, False, 0)
    else:
        alone = False
    coroutine = eval(code, namespace, namespace)
    if coroutine is None:
        return
    driver = _eryx_driver.driver
    if alone:
        driver.start(coroutine)
    else:
        driver.start_session(coroutine)
    for _ in range(STEPS):
        if driver.step() is None:
            return
        host.answer()
    raise RuntimeError(f"the rehearsal does not end: {source}")


def _programs():
    namespace = _eryx_session.new_main()
    host = _Host()
    with host:
        _eryx_session.offer(namespace, CALLBACKS)
        for source in GENERAL, "x = 1", CALLS, "await wait(100)", RUN:
            _execute(host, source, namespace)
        _eryx_session.to_json(namespace["x"])
        try:
            _execute(host, FAILURE, namespace)
        except ZeroDivisionError as error:
            _eryx_report.describe(error)
        _eryx_session.offer(namespace, [])


def _state():
    for source in "number = 1", STATE:
        namespace = _eryx_session.new_main()
        exec(compile(source, "<rehearsal>", "exec"), namespace)
        _eryx_session.restore(namespace, _eryx_session.snapshot(namespace))


def run():
    main, stdout = sys.modules["__main__"], sys.stdout
    sys.stdout = io.StringIO()
    try:
        for _ in range(ROUNDS):
            _programs()
            _state()
    finally:
        sys.stdout = stdout
        sys.modules["__main__"] = main
