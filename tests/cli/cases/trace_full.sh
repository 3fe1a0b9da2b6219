eryx run --trace /dev/full -c 'print("not run")'
