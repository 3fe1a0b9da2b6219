cat > a.json <<'END'
[{"name": "get", "command": ["echo", "1"]}]
END
eryx run --callbacks a.json --trace t.json -c 'await get()'
grep callback t.json
