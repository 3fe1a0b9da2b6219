eryx run -c 'print(1)' >&-
