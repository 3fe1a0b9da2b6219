eryx run --memory '-1' -c 'print(1)'
