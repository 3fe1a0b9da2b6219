eryx run --stdin -c 'import sys; sys.stdin.read()' <&-
