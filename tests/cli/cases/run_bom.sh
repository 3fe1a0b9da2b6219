printf '\357\273\277print("bom")\n' > a.py && eryx run a.py
