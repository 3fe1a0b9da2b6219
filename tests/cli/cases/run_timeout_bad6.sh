eryx run --timeout 'inf' -c 'print(1)'
