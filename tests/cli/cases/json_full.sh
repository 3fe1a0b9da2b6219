eryx run --json -c 1 > /dev/full
