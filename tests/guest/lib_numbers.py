# Numbers: int, float, math, decimal, fractions, statistics, struct, array, random with a seed.
import array
import cmath
import decimal
import fractions
import math
import random
import statistics
import struct
from decimal import Decimal

print(2**200, -(7) // 2, -7 % 3, divmod(-7, 2), pow(3, 1000, 10**9 + 7), pow(3, -1, 11))
print(math.factorial(30), math.comb(50, 25), math.isqrt(10**40), math.gcd(2**60, 6**30), (123).bit_count())
print(int('ff', 16), int('-0b101', 0), (1000).to_bytes(2), int.from_bytes(b'\xff\xfe', signed=True))
print(0.1 + 0.2, 1e308 * 10, -0.0, float('nan') != float('nan'), 1e16 + 1, 5e-324, 2.5.as_integer_ratio())
print(round(2.5), round(-1.5), round(2.675, 2), math.fsum([0.1] * 10), (0.1).hex(), float.fromhex('0x1p-3'))
print(math.sin(1), math.exp(1), math.log(10), math.log2(8), math.gamma(5), math.erf(0.5), math.hypot(3, 4, 12))
print(math.nextafter(1, 2), math.ulp(1.0), math.remainder(10, 3), math.fma(2, 3, 4), math.cbrt(27))
print(cmath.sqrt(-1), (1 + 2j) * (3 - 1j), abs(3 + 4j), cmath.phase(-1))
for bad in ('1/0', 'math.sqrt(-1)', 'math.log(0)', "int('x')", '2.0 ** 10000', 'int(float("nan"))', "float('1_')"):
    try:
        print(eval(bad))
    except (ArithmeticError, ValueError) as error:
        print(type(error).__name__, error)
try:
    int('9' * 5000)
except ValueError as error:
    print(error)

decimal.getcontext().prec = 50
print(Decimal(2).sqrt(), Decimal('1.10') + Decimal('2.20'), Decimal(1) / 7)
print(Decimal('2.675').quantize(Decimal('0.01'), decimal.ROUND_HALF_UP), Decimal('1E+5').normalize(), Decimal('-0'))
with decimal.localcontext() as context:
    context.prec = 5
    context.traps[decimal.DivisionByZero] = False
    print(Decimal(1) / 3, Decimal(1) / 0, Decimal(2).exp())
try:
    Decimal('abc')
except decimal.InvalidOperation as error:
    print(error)
print(Decimal(10).ln(), f'{Decimal("1234567.891"):,.2f}', decimal.HAVE_THREADS is not None)

print(fractions.Fraction(1, 3) + fractions.Fraction('0.25'), fractions.Fraction(3.25).limit_denominator(10))
data = [2, 4, 4, 4, 5, 5, 7, 9]
print(statistics.mean(data), statistics.median(data), statistics.mode(data), statistics.pstdev(data),
      statistics.quantiles(data, n=4), statistics.correlation(data, data[::-1]))
print(statistics.linear_regression([1, 2, 3], [2, 4, 6]), statistics.NormalDist(0, 1).cdf(1.96))

print(struct.pack('<hIq?f8s', -1, 2**32 - 1, -2**63, True, 1.5, b'text'), struct.calcsize('>bhi'))
print(struct.unpack('>d', b'\x40\x09\x21\xfb\x54\x44\x2d\x18'), list(struct.iter_unpack('<H', b'\1\0\2\0')))
try:
    struct.pack('b', 200)
except struct.error as error:
    print(error)
print(array.array('i', [1, 2, 3]).tobytes(), array.array('d', [1.5]).itemsize, memoryview(b'abcd')[1:3].tobytes())

random.seed(42)
print(random.random(), random.randint(1, 100), random.choice('abc'), random.sample(range(100), 5))
random.seed('text')
print(random.gauss(0, 1), random.shuffle([1, 2, 3]), random.getrandbits(64), random.Random(1).choices('ab', [1, 9], k=5))
