# SIGUSR1 writes the file, and the program goes on.
mkfifo started
cat > tools.json <<'END'
[{"name": "wait", "command": ["sh", "-c", "echo > started; cat go > /dev/null; echo 1"]}]
END
mkfifo go
eryx run --checkpoint job.ckpt --callbacks tools.json -c 'x = 5
print(await wait() + x)' &
read line < started
kill -USR1 $!
while ! test -e job.ckpt; do sleep 0.01; done
echo > go
wait $!
echo "ended with $?"
(read line < started; echo > go) &
eryx resume --callbacks tools.json job.ckpt
