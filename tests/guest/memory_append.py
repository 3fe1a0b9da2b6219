# memory: 192
# MemoryError while a local string is appended to in place.
import sys


def double(text):
    while True:
        text += text


def grow(text):
    while True:
        text += 'x' * 1_000_000


for function in (double, grow):
    for text in ('x', '\u00e9', '\u20ac', '\U0001f40d'):
        try:
            function(text)
        except MemoryError:
            print(function.__name__, ascii(text), 'MemoryError', flush=True)
print('goes on', file=sys.stderr)
