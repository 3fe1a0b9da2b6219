cat > a.json <<'END'
[{"name": "a", "command": ["ls"], "description": 1}]
END
eryx run --callbacks a.json -c 1
