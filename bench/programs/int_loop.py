"""Integer arithmetic in a while loop: Collatz lengths and a linear congruence."""


def run():
    longest = 0
    start = 1
    while start < 12_000:
        n = start
        steps = 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        if steps > longest:
            longest = steps
        start += 1
    seed = 12345
    for _ in range(300_000):
        seed = (seed * 16807) % 2147483647
    return longest * 10_000_000_000 + seed
