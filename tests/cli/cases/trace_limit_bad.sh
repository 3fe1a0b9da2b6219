eryx run --trace t --trace-limit much -c 1
