eryx run --mount .:/data --mount .:/data/x -c 1
