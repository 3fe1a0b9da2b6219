eryx run --runtime / -c 'print(1)'
