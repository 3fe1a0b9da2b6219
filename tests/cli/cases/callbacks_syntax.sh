cat > a.json <<'END'
[
  {"name": "a", "command": ["x"],}
]
END
eryx run --callbacks a.json -c 1
