eryx run --timeout 'nan' -c 'print(1)'
