eryx run --timeout 300ms -c 'print(1, flush=True)
while True: pass'
