# An uncaught exception: traceback with the user's lines on stderr, exit code 1.
def divide(a, b):
    return a / b


def main():
    print('start')
    divide(1, 0)


main()
