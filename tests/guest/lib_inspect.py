# Looking at code: inspect, traceback, linecache, dis, exec with own names, doctest, unittest.
import dis
import doctest
import importlib
import inspect
import io
import json
import linecache
import string
import sys
import textwrap
import timeit
import traceback
import unittest


def documented(a, b: int = 2, *rest, key=None, **options) -> str:
    """Adds.

    >>> documented(1)
    3
    """
    return a + b


class Thing:
    def method(self):
        return 'from the source'


print(inspect.getsource(documented).splitlines()[0], inspect.signature(documented), inspect.getdoc(documented).splitlines()[0])
print(inspect.getsource(Thing.method).strip().splitlines()[-1].strip(), inspect.isclass(Thing))
print(inspect.getsource(textwrap.dedent).splitlines()[0], inspect.getsource(json).count('def ') > 3)
print('stdlib source', len(inspect.getsource(string)) > 1000, linecache.getline(__import__('os').__file__, 1)[:5])

try:
    json.loads('{bad}')
except ValueError:
    lines = traceback.format_exc().splitlines()
    print(lines[0], lines[1].split(',')[1], lines[2].strip(), lines[-1], sep=' | ')
    frames = traceback.extract_tb(sys.exc_info()[2])
    print([frame.name for frame in frames], frames[1].line.strip())


def chained():
    try:
        {}['missing']
    except KeyError as error:
        raise RuntimeError('second') from error


try:
    chained()
except RuntimeError:
    text = traceback.format_exc()
    print('The above exception was the direct cause' in text, "{}['missing']" in text)

namespace = {}
exec(compile('def f(x):\n    return x * 2\ny = f(21)', '<made>', 'exec'), namespace)
print(namespace['y'], eval('y + 1', namespace), namespace['f'].__code__.co_filename)
try:
    exec(compile('1 +', '<made>', 'exec'))
except SyntaxError as error:
    print(error.msg, error.lineno, error.filename)
print([instruction.opname for instruction in dis.get_instructions(lambda: None)][-1])
print(doctest.testmod(sys.modules['__main__'], verbose=False))


class Case(unittest.TestCase):
    def test_passes(self):
        self.assertEqual(1 + 1, 2)

    def test_fails(self):
        self.assertIn('a', 'xyz')


result = unittest.TextTestRunner(stream=io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromTestCase(Case))
print(result)
print(timeit.timeit('1 + 1', number=1000) > 0)
with open('/tmp/own_module.py', 'w') as file:
    file.write('"""Mine."""\nVALUE = 1\n\ndef fail():\n    raise KeyError("own")\n')
sys.path.insert(0, '/tmp')
own = importlib.import_module('own_module')
print(own.VALUE, own.__doc__, own.__file__)
try:
    own.fail()
except KeyError:
    print(traceback.format_exc().splitlines()[-2].strip())
print(__name__, sys.argv, type(sys.modules['__main__']).__name__)
