{ printf 'x = "'; head -c 10000000 /dev/zero | tr '\0' x; echo '"'; echo 'print(len(x))'; } > a.py
eryx run a.py
