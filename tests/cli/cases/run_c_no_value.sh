eryx run -c
