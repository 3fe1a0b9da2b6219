eryx run --mount src -c 1
