eryx run --timeout '1x' -c 'print(1)'
