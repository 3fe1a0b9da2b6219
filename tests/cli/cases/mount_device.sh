eryx run --mount /dev/null:/data -c 1
