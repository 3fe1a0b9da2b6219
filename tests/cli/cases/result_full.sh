eryx run --result s -c 's = 1' > /dev/full
