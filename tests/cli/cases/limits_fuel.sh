eryx run --fuel 50000000 -c 'print(6 * 7)'
eryx run --json --fuel 50000000 -c 'while True: pass' > a.json
echo $?
python3 -c '
import json, sys
o = json.load(sys.stdin)
print(o["outcome"], o["message"], o["limit"], o["fuel_used"])' < a.json
eryx run --fuel 50000000 -c 'while True: pass'
