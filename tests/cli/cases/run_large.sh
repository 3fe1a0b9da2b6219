# 10 MB of code.
{ echo 'total = 0'; yes 'total += 1  # a line that is there to be long' | head -n 210000; echo 'print(total)'; } > a.py
[ "$(wc -c < a.py)" -gt 9000000 ] && eryx run --memory 2G a.py
