"""re: matching, searching, groups, substitution, splitting."""
import re

LINE = re.compile(r"(?P<host>\d+(?:\.\d+){3}) - (?P<user>\w+|-) \[(?P<time>[^\]]+)\] "
                  r'"(?P<verb>GET|POST) (?P<path>[^" ]+)" (?P<status>\d{3}) (?P<size>\d+)')
WORD = re.compile(r"\b[a-z]+ing\b|\b(\w)\w*\1\b", re.IGNORECASE)
PROSE = ("Testing a banana pancake, the king is singing along; radar and level "
         "are what nobody sees coming in the evening. ") * 60


def log(count):
    for i in range(count):
        user = "-" if i % 4 else f"user{i % 50}"
        yield (f'10.{i % 256}.{i % 7}.{i % 13} - {user} [2026-01-{i % 28 + 1:02d}] '
               f'"{"GET" if i % 3 else "POST"} /path/{i}/item?x={i * 3}" {200 + i % 5} {i * 17}')


def run():
    total = 0
    for line in log(24_000):
        match = LINE.match(line)
        total += int(match["size"]) + len(match["path"]) + len(match["user"])
    for _ in range(40):
        total += len(WORD.findall(PROSE)) + len(re.sub(r"[aeiou]+", "-", PROSE))
        total += len(re.split(r"[;,.]\s*", PROSE))
    return total
