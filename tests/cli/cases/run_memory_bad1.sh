eryx run --memory 'x' -c 'print(1)'
