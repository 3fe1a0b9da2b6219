mkfifo out
eryx run --trace t.json -c 'print("running", flush=True)
while True: pass' > out &
read line < out
ls | wc -l
kill -TERM $!
wait $!
echo $?
ls
