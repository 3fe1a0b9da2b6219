eryx run --cpu-time 50ms -c 'while True: pass'
