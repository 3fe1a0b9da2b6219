eryx run -c 'import sys; sys.stdout.buffer.write(bytes(range(256)))' | cksum
