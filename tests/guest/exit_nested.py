# sys.exit deep in calls unwinds like any exception.
import contextlib
import sys


@contextlib.contextmanager
def noisy(name):
    try:
        yield
    finally:
        print('leaving', name)


def inner():
    with noisy('inner'):
        try:
            sys.exit(9)
        except Exception:
            print('SystemExit is no Exception')


def outer():
    with noisy('outer'):
        inner()


try:
    outer()
except SystemExit as exit:
    print('caught', exit.code)
for value in (None, 0, True, 'text', 300):
    try:
        sys.exit(value)
    except SystemExit as exit:
        print(repr(exit.code))
try:
    list(sys.exit(n) for n in [4])
except SystemExit as exit:
    print('from a generator', exit.code)
outer()
