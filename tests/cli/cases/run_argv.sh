eryx run -c 'import sys; print(sys.argv)' --timeout 'b c' '' ä -- -x
