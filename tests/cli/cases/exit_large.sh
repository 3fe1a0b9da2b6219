eryx run -c 'import sys; sys.exit(256 + 7)'
