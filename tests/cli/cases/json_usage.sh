eryx run --json none.py
