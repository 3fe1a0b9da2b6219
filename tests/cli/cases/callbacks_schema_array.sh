cat > a.json <<'END'
[{"name": "a", "command": ["ls"], "parameters": []}]
END
eryx run --callbacks a.json -c 1
