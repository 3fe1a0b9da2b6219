eryx run --env NAME -c 1
