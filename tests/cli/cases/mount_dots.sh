eryx run --mount .:/data/../x -c 1
