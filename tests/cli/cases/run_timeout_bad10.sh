eryx run --timeout ' 1' -c 'print(1)'
