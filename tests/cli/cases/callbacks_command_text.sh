cat > a.json <<'END'
[{"name": "a", "command": "ls -l"}]
END
eryx run --callbacks a.json -c 1
