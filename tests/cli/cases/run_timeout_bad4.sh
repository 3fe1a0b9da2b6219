eryx run --timeout '0' -c 'print(1)'
