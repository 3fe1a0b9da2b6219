eryx run --timeout 300ms --trace t.json -c 'import time
time.sleep(10)'
tail -n 1 t.json
