# What was printed before the end is not lost, flushed or not.
eryx run --timeout 300ms -c 'print("printed")
while True: pass'
