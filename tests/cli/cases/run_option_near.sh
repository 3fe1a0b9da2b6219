eryx run --timeot 1s x.py
