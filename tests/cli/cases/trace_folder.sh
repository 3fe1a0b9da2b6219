eryx run --trace . -c 'print("not run")'
