printf '\377\376p\000' > a.py && eryx run a.py
