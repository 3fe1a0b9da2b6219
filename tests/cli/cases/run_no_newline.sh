printf 'print(1)' > a.py && eryx run a.py
