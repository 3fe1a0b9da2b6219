# memory: 160
# With the recursion limit out of the way, Python recursion uses memory until MemoryError.
import sys


def endless(n):
    return endless(n + 1)


sys.setrecursionlimit(2**31 - 1)
for _ in range(3):
    stopped = False
    try:
        endless(0)
    except (MemoryError, RecursionError):
        stopped = True  # the frames, and with them the memory, are freed after this block
    print('stopped', stopped)
sys.setrecursionlimit(1000)
print('goes on', file=sys.stderr)
