eryx run --stdin=yes x.py
