eryx run --timeout 1s
