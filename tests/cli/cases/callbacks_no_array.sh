cat > a.json <<'END'
{}
END
eryx run --callbacks a.json -c 1
