eryx run --runtime missing.cwasm -c 'print(1)'
