eryx run --frobnicate x.py
