head -c 70000000 /dev/zero | eryx run -
