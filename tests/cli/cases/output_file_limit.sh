(ulimit -f 1; trap '' XFSZ; eryx run -c 'print("x" * 100000)' > big)
