eryx run --json --trace t.json -c 'print(1)' | python3 -c 'import json, sys; print(json.load(sys.stdin)["outcome"])'
wc -l < t.json
