# Without stdin, reading gives the end of the file.
import sys

print(repr(sys.stdin.read()), sys.stdin.readlines())
try:
    input()
except EOFError as error:
    print('EOFError', error)
