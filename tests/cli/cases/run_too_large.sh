truncate -s 65M a.py && eryx run a.py
