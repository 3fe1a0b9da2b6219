eryx run --timeout '0x10' -c 'print(1)'
