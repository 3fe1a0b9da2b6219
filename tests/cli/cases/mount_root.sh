eryx run --mount .:/ -c 1
