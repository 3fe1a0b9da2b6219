(echo before; eryx run --trace /dev/stdout -c 'print("program")'; echo after) > out
cat out
