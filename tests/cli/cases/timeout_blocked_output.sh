# A reader that never reads cannot keep the program longer than its time and a second.
mkfifo stuck
exec 3<> stuck
eryx run --timeout 300ms -c 'while True: print("x" * 1000)' > stuck
