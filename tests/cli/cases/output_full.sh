eryx run -c 'print(1)' > /dev/full
