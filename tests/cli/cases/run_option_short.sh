eryx run -q x.py
