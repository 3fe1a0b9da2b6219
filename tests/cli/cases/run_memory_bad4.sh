eryx run --memory '0' -c 'print(1)'
