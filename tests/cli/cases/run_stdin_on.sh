printf 'one\ntwo' | eryx run --stdin -c 'import sys; print(input(), sys.stdin.read())'
