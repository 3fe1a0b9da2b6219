cat > a.json <<'END'
[{"name": "a", "command": ["ls"]},
 {"name": "a", "command": ["cat"]}]
END
eryx run --callbacks a.json -c 1
