eryx run --timeout
