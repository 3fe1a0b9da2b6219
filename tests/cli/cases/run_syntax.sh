printf "x = 1\ny = = 2\n" > a.py
eryx run a.py
