eryx run /dev/zero
