eryx run --trace t.json --trace-limit 1K -c 'for i in range(1000):
    pass'
test $(stat -c %s t.json) -le 1024 && tail -n 1 t.json
