eryx run --trace t --trace-locals 2M -c 1
