eryx run -c 'for i in range(20): print("x" * 10**6)' | wc -c
