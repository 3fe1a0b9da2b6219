cat > a.json <<'END'
[3]
END
eryx run --callbacks a.json -c 1
