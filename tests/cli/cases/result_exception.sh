eryx run --result s -c 's = 1; 1 / 0'
