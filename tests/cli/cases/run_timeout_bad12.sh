eryx run --timeout '99999999999999999999' -c 'print(1)'
