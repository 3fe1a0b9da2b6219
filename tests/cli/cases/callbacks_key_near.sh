cat > a.json <<'END'
[{"name": "a", "comand": ["ls"]}]
END
eryx run --callbacks a.json -c 1
