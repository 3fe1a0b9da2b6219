eryx run --env =x -c 1
