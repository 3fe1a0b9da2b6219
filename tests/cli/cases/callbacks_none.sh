echo '[]' > a.json
eryx run --callbacks a.json -c 'print(1)'
