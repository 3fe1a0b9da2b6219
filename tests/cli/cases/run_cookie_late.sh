printf 'x = 1\n# coding: latin-1\nprint("\303\244")\n' > a.py && eryx run a.py
