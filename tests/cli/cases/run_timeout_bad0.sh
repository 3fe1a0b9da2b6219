eryx run --timeout '' -c 'print(1)'
