eryx run --timeout '1 s' -c 'print(1)'
