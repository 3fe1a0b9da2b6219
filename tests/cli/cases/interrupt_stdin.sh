mkfifo in; exec 3<> in
CODE='print("running", flush=True)
input()'
# run_and_interrupt CODE: SIGINT as soon as the program says that it runs.
mkfifo out
env --default-signal=INT eryx run --stdin -c "$CODE" > out < in &
read line < out
echo "$line"
kill -INT $!
wait $!
