yes text | head -c 100000 > a.cwasm; eryx run --runtime a.cwasm -c 'print(1)'
