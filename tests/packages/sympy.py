import sympy as s

x, y, n, k = s.symbols("x y n k")
print(s.integrate(x**2 * s.exp(-x), x), s.diff(s.sin(x)**2 / x, x), s.limit(s.sin(x) / x, x, 0))
print(s.solve(x**4 - 5*x**2 + 4, x), s.solve([x + y - 3, x - y - 1], [x, y]), s.factor(x**6 - 1))
print(s.expand((x + y)**4), s.simplify(s.sin(x)**2 + s.cos(x)**2), s.apart(1 / (x**2 - 1)))
print(s.series(s.exp(s.sin(x)), x, 0, 5), s.summation(k**2, (k, 1, n)).factor())
m = s.Matrix([[2, 1], [1, 2]])
print(m.det(), m.eigenvals(), m.inv(), (m**5)[0, 0])
print(s.N(s.pi, 40), s.factorint(2**67 - 1), s.prime(1000), s.sqrt(8), s.Rational(3, 4) + s.Rational(1, 6))
print(s.latex(s.Integral(s.sqrt(x), (x, 0, 1))), s.srepr(x + 1), s.sympify("2*x + sin(pi/6)"))
f = s.Function("f")
print(s.dsolve(f(x).diff(x) - f(x), f(x)), s.lambdify(x, x**2 + s.sqrt(x))(4.0))
print(s.pretty(x / y, use_unicode=False), s.gcd(x**2 - 1, x - 1), s.Poly(x**3 + 2*x, x).degree())
