eryx run --max-output 1000 -c 'while True: print("x" * 99)'
