export ERYX_SESSIONS=$PWD/sessions
for name in '' a/b .. "$(printf '%0101d' 0)" 'a b'; do eryx session exec "$name" -c 1; echo $?; done
eryx session; echo $?
eryx session frobnicate; echo $?
eryx session exec; echo $?
eryx session exec a; echo $?
eryx session exec a --checkpoint b -c 1; echo $?
eryx session rm; echo $?
eryx session rm nothing; echo $?
eryx session fork nothing other; echo $?
eryx session fork a; echo $?
eryx session exec a -c 'x = 1'; eryx session fork a a; echo $?
echo text > sessions/bad.session; eryx session exec bad -c 1; echo $?
ERYX_SESSIONS=/dev/null/x eryx session list; echo $?
mkfifo started go
cat > tools.json <<'END'
[{"name": "wait", "blocking": true, "command": ["sh", "-c", "echo > started; cat go > /dev/null; echo 1"]}]
END
eryx session exec a --callbacks tools.json -c 'print(wait())' &
read line < started
eryx session exec a -c 1; echo $?
eryx session rm a; echo $?
echo > go
wait $!
