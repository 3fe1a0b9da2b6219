"""Function calls: recursion, keyword arguments, closures."""


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def scaled(value, *, factor=2, offset=1):
    return value * factor + offset


def make_adder(amount):
    def add(value):
        return value + amount
    return add


def run():
    total = fibonacci(25)
    add = make_adder(3)
    for i in range(300_000):
        total = (total + scaled(i, offset=add(i))) % 1_000_003
    return total
