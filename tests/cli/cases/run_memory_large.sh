eryx run --memory 5G -c 1
