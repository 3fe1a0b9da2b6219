for t in 5 5s 5000ms 5000000us 1m 1h 1.5s none; do eryx run --timeout $t -c 'print(1, end="")' || exit 1; done
