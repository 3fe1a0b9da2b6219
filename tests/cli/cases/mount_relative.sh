eryx run --mount src:data -c 1
