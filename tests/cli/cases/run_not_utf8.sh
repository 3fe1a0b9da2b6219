printf 'x = 1\ny = "a\351b"\n' > a.py && eryx run a.py
