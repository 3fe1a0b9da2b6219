mkfifo trace
eryx run --trace trace -c 'while True:
    pass' &
head -c 1 < trace > /dev/null
wait $!
