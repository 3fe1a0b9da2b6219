eryx run --timeout '1e3' -c 'print(1)'
