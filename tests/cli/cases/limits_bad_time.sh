eryx run --cpu-time 0 -c ''
