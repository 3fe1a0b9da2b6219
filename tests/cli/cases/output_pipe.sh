# The reader goes away: the program ends quietly.
{ eryx run -c 'while True: print("y")'; echo $? >&2; } | head -n 1
