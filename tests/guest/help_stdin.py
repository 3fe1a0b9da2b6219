# help() without arguments asks: answers may come from standard input.
help()
print('goes on')
