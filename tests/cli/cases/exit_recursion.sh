eryx run -c 'def f(): f()
f()'
