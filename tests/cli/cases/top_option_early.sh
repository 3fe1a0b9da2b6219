eryx --timeout 1s run x.py
