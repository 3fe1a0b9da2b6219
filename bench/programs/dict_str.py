"""Dictionaries and strings: word counts, formatting, joining, splitting."""


def run():
    words = [f"word{(i * 7919) % 997}" for i in range(100_000)]
    counts = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    lines = [f"{word}:{count:04d}" for word, count in sorted(counts.items())]
    text = "\n".join(lines)
    total = 0
    for _ in range(80):
        for line in text.split("\n"):
            name, _, count = line.partition(":")
            total += int(count) + len(name.upper().replace("WORD", "w"))
    index = {(i % 100, str(i)): i for i in range(40_000)}
    return total + sum(index[i % 100, str(i)] for i in range(0, 40_000, 3))
