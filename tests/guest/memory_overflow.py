# Sizes past what 32 bits can index are refused by Python itself.
import sys


def attempt(name, function):
    try:
        function()
    except (OverflowError, MemoryError) as error:
        print(name, type(error).__name__)
    else:
        print(name, 'returned')


print(sys.maxsize == 2**31 - 1)
attempt('str', lambda: 'a' * 2**31)
attempt('str at the edge', lambda: 'a' * (2**31 - 1))
attempt('bytes', lambda: bytes(2**31))
attempt('bytearray', lambda: bytearray(2**31))
attempt('list', lambda: [0] * 2**31)
attempt('list at the edge', lambda: [0] * (2**31 - 1))
attempt('list overflow of bytes', lambda: [0] * 2**30)
attempt('tuple', lambda: (0,) * 2**62)
attempt('len of range', lambda: len(range(2**40)))
attempt('shift', lambda: 1 << 2**40)
attempt('index', lambda: [][2**40] if False else [0].insert(2**40, 1))
attempt('seek', lambda: __import__('io').BytesIO().seek(2**40))
attempt('read', lambda: open(__import__('os').__file__).read(2**40))
attempt('itertools.repeat', lambda: list(__import__('itertools').repeat(0, 2**40)))
attempt('zfill', lambda: 'a'.zfill(2**31 - 1))
attempt('ljust', lambda: 'a'.ljust(2**40))
attempt('float to int', lambda: int(float('inf')))
attempt('c long', lambda: __import__('time').sleep(2**80))
