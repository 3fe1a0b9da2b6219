eryx run -c 'print(6 * 7)'
