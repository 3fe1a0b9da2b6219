# Started with SIGINT ignored, as in the background of a script, it stays ignored.
mkfifo out in
exec 3<> in
env --ignore-signal=INT eryx run --stdin -c 'print("running", flush=True); print(input())' < in > out &
exec 4< out
read line <&4
echo "$line"
kill -INT $!
echo done >&3
cat <&4
wait $!
