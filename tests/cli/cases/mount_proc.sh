eryx run --mount /proc:/data -c 1
