eryx run
