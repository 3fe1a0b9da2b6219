eryx run --callbacks . -c 1
