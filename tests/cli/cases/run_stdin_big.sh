head -c 5000000 /dev/zero | eryx run --stdin -c 'import sys; print(len(sys.stdin.buffer.read()))'
