printf 'print(1)\n\000\n' > a.py && eryx run a.py
