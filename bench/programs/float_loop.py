"""Floating point: a Mandelbrot set and an integration with math functions."""
import math


def mandelbrot(size):
    inside = 0
    for row in range(size):
        y = 2.0 * row / size - 1.0
        for column in range(size):
            x = 3.0 * column / size - 2.0
            a = b = 0.0
            for _ in range(30):
                a, b = a * a - b * b + x, 2.0 * a * b + y
                if a * a + b * b > 4.0:
                    break
            else:
                inside += 1
    return inside


def integral(steps):
    total = 0.0
    for i in range(steps):
        x = i / steps
        total += math.sqrt(x) * x - math.floor(x * 7.0)
    return total / steps


def run():
    return mandelbrot(110), round(integral(300_000), 9)
