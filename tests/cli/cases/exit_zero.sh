eryx run -c 'raise SystemExit'
