printf 'x = "\303' > a.py && eryx run a.py
