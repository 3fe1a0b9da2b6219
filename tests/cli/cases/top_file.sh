eryx hello.py
