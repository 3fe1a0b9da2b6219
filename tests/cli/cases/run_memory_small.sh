eryx run --memory 1M -c 1
