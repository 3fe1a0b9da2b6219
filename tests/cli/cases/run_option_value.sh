eryx run --memroy=1G x.py
