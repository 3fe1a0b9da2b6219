printf '\000\377\n' | eryx run --stdin -c 'import sys; print(sys.stdin.buffer.read())'
