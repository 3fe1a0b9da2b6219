# Recursion in C that CPython itself does not check (it crashes natively, too) traps: the
# sandbox ends, nothing else does.
iterator = iter('a')
for _ in range(300_000):
    iterator = map(str, iterator)
print('made', flush=True)
next(iterator)
print('never')
