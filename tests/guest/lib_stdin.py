# Reading stdin in every way.
import sys

print(input('prompt> '))
print(repr(sys.stdin.readline()))
print(repr(sys.stdin.read(5)))
print(repr(sys.stdin.readline()))
print(next(sys.stdin).strip())
print([line.strip() for line in sys.stdin])
print(repr(sys.stdin.read()))
try:
    input()
except EOFError as error:
    print('EOFError', error)
print(sys.stdin.isatty(), sys.stdin.encoding)
