eryx run --memory '1T' -c 'print(1)'
