: > a.cwasm; eryx run --runtime a.cwasm -c 'print(1)'
