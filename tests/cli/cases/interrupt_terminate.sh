mkfifo out
eryx run -c 'print("running", flush=True)
while True: pass' > out &
read line < out
kill -TERM $!
wait $!
