eryx run --result s -c 'print(1)'
