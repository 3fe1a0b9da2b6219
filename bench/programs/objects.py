"""Objects: attributes, methods, inheritance, dunder methods, slots."""


class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __eq__(self, other):
        return self.x == other.x and self.y == other.y

    def dot(self, other):
        return self.x * other.x + self.y * other.y


class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.history = []

    def deposit(self, amount):
        self.balance += amount
        self.history.append(amount)

    @property
    def average(self):
        return self.balance // max(len(self.history), 1)


class Savings(Account):
    rate = 3

    def deposit(self, amount):
        super().deposit(amount + amount * self.rate // 100)


def run():
    position = Vector(0, 0)
    steps = [Vector(1, 2), Vector(-3, 5), Vector(7, -4)]
    score = 0
    for i in range(150_000):
        position = position + steps[i % 3]
        score += position.dot(steps[i % 3]) % 97
        score += position == steps[0]
    accounts = [Savings(str(i)) if i % 2 else Account(str(i)) for i in range(100)]
    for i in range(150_000):
        accounts[i % 100].deposit(i % 1000)
    return score, sum(account.average for account in accounts)
