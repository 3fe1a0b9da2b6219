eryx run -c '1 / 0'
