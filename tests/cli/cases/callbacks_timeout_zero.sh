cat > a.json <<'END'
[{"name": "a", "command": ["ls"], "timeout": 0}]
END
eryx run --callbacks a.json -c 1
