echo data | eryx run -c 'import sys; print(repr(sys.stdin.read()))'
