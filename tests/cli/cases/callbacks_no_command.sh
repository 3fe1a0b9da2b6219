cat > a.json <<'END'
[{"name": "a"}]
END
eryx run --callbacks a.json -c 1
