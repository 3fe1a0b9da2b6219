cat > a.json <<'END'
[{"name": "a", "name": "b"}]
END
eryx run --callbacks a.json -c 1
