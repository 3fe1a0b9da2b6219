eryx run --result s -c 's = {1}'
