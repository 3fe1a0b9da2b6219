eryx run --trace - -c 'print(1)'
