: > a.py && eryx run a.py && eryx run /dev/null
