printf 'def f():\n    return [][1]\n\nf()\n' > a.py; eryx run a.py
