eryx run --memory 'M' -c 'print(1)'
