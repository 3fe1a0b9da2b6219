eryx run -c ''
