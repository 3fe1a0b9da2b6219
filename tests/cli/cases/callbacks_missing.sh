eryx run --callbacks none.json -c 1
