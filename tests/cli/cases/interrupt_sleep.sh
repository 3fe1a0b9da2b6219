CODE='print("running", flush=True)
import time; time.sleep(60)'
# run_and_interrupt CODE: SIGINT as soon as the program says that it runs.
mkfifo out
env --default-signal=INT eryx run -c "$CODE" > out &
read line < out
echo "$line"
kill -INT $!
wait $!
