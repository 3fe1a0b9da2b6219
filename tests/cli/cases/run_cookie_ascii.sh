printf '# coding: latin-1\nprint("only ascii")\n' > a.py && eryx run a.py
