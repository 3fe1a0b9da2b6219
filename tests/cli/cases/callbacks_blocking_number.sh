cat > a.json <<'END'
[{"name": "a", "command": ["ls"], "blocking": 1}]
END
eryx run --callbacks a.json -c 1
