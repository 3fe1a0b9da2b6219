"""Exceptions: raising and catching, through frames, with finally, chained."""


class Refused(Exception):
    def __init__(self, code):
        super().__init__(f"refused with {code}")
        self.code = code


def check(value):
    if value % 3 == 0:
        raise Refused(value)
    if value % 5 == 0:
        raise KeyError(value)
    return value


def nested(value):
    try:
        return check(value)
    finally:
        nested.passes += 1


def wrapped(value):
    try:
        return nested(value)
    except KeyError as error:
        raise ValueError("wrapped") from error


def run():
    nested.passes = 0
    caught = {}
    total = 0
    for i in range(120_000):
        try:
            total += wrapped(i)
        except Refused as error:
            total += error.code % 7
        except ValueError as error:
            name = type(error.__cause__).__name__
            caught[name] = caught.get(name, 0) + 1
    return total, caught, nested.passes
