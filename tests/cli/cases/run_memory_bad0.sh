eryx run --memory '' -c 'print(1)'
