eryx run missing.py
