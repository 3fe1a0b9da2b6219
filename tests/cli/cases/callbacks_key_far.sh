cat > a.json <<'END'
[{"name": "a", "zzzzzzzzzz": 1}]
END
eryx run --callbacks a.json -c 1
