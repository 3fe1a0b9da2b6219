eryx run --trace missing/t.json -c 'print("not run")'
