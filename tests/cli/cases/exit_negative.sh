eryx run -c 'import sys; sys.exit(-1)'
