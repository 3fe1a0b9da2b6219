mkfifo started
echo '[{"name": "hold", "command": ["sh", "-c", "echo > started; sleep 60"]}]' > callbacks.json
env --default-signal=INT eryx run --json --callbacks callbacks.json -c '
from _eryx_driver import call
await call("hold", "{}")' > a.json &
read line < started
kill -INT $!
wait $!
status=$?
grep -o '"outcome": "[a-z]*", "exit_code": [0-9]*' a.json
exit $status
