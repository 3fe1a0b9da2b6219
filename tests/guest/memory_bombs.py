# memory: 192
# Whatever a program asks for, it gets MemoryError at its limit and goes on.
import array
import collections
import io
import json
import sys
import zlib


def attempt(name, function):
    try:
        function()
    except MemoryError:  # which holds the frames, and so all that the function took
        how = 'MemoryError'
    else:
        how = 'returned'
    print(name, how)
    # The memory is there again.
    assert len(bytearray(16 << 20)) == 16 << 20


def keep_strings():
    kept = []
    while True:
        kept.append('a' * 10**7)


def grow_list():
    kept = []
    while True:
        kept.append(len(kept))


def small_objects():
    kept = []
    while True:
        kept.append({'n': len(kept), 'o': object()})


def double_list():
    kept = [0]
    while True:
        kept += kept


def grow_bytearray():
    kept = bytearray()
    while True:
        kept += bytes(1 << 20)


def grow_dict():
    kept = {}
    while True:
        kept[len(kept)] = None


def grow_set():
    kept = set()
    while True:
        kept.add(len(kept))


def grow_deque():
    kept = collections.deque()
    while True:
        kept.append(len(kept))


def grow_file():
    with open('/tmp/grown', 'wb') as file:
        while True:
            file.write(bytes(1 << 20))


def remove_file():
    import os
    if os.path.exists('/tmp/grown'):
        os.remove('/tmp/grown')


def many_files():
    for n in range(10**7):
        with open(f'/tmp/file{n}', 'w') as file:
            file.write('x' * 4000)


def remove_files():
    # By name: nothing is left of the memory for a list of them.
    import os
    for n in range(10**7):
        try:
            os.remove(f'/tmp/file{n}')
        except FileNotFoundError:
            break


def inflate():
    # 64 MiB of zeros twice packed: a bomb of 70 bytes or so.
    bomb = zlib.compress(zlib.compress(bytes(64 << 20), 9), 9)
    data = [zlib.decompress(zlib.decompress(bomb)) for _ in range(8)]
    return data


attempt('10**9 characters', lambda: ['a' * 10**9 for _ in range(4)])
attempt('keep strings', keep_strings)
attempt('grow list', grow_list)
attempt('small objects', small_objects)
attempt('double list', double_list)
attempt('bytearray', lambda: bytearray(10**9))
attempt('grow bytearray', grow_bytearray)
attempt('grow dict', grow_dict)
attempt('grow set', grow_set)
attempt('grow deque', grow_deque)
attempt('bytes', lambda: bytes(10**9))
attempt('list(range)', lambda: list(range(10**9)))
attempt('big int', lambda: 1 << 2**31 - 64)
attempt('join', lambda: ''.join(['x' * 10**6] * 1000))
attempt('replace', lambda: ('a' * 10**6).replace('a', 'b' * 1000))
attempt('format width', lambda: f'{1:>1000000000}')
attempt('percent width', lambda: '%1000000000d' % 1)
attempt('array', lambda: array.array('d', [0]) * 10**8)
attempt('StringIO', lambda: io.StringIO().write('x' * 10**9))
attempt('BytesIO', lambda: io.BytesIO().truncate(10**9) and io.BytesIO(bytes(10**9)))
attempt('json', lambda: json.dumps(['x' * 1000] * 10**6))
attempt('zlib bomb', inflate)
attempt('sorted', lambda: sorted(range(10**9)))
attempt('permutations', lambda: set(__import__('itertools').product(range(1000), repeat=3)))
try:
    grow_file()
except (MemoryError, OSError) as error:
    print('grow file stopped')
remove_file()
try:
    many_files()
except (MemoryError, OSError) as error:
    print('many files stopped')
remove_files()
assert len(bytearray(16 << 20)) == 16 << 20
print('goes on', file=sys.stderr)
