# Tracebacks that the program prints itself, warnings, and sources of its own functions.
import inspect
import sys
import traceback
import warnings


def outer(value):
    return inner(
        value,
        value)


def inner(a, b):
    return a / (b - b)


try:
    outer(1)
except ZeroDivisionError:
    traceback.print_exc(file=sys.stdout)
print(inspect.getsource(inner), end='')
for text in 'x = = 1', 'if True:\npass', 'f(', 'é = "', 'return 1', 'a\0b':
    try:
        compile(text, 'text', 'exec')
    except SyntaxError as error:
        print(error.msg, error.lineno, error.offset)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    warnings.warn('careful')
    print(caught[0].filename, caught[0].lineno)
print(len(traceback.format_stack()), sys._getframe().f_code.co_filename, __name__)
try:
    exec('def f():\n    1/0\nf()')
except ZeroDivisionError as error:
    print(traceback.extract_tb(error.__traceback__)[-1])
