cat > a.json <<'END'
[{"command": ["x"]}]
END
eryx run --callbacks a.json -c 1
