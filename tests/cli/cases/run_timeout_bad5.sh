eryx run --timeout '1..2' -c 'print(1)'
