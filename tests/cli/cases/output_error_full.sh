eryx run -c '1 / 0' 2> /dev/full
