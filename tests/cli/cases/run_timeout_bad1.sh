eryx run --timeout 'x' -c 'print(1)'
