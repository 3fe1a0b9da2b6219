eryx run --mount nothing:/data -c 1
