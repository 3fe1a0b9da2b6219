head -c 17000000 /dev/zero > a.toml
eryx run --callbacks a.toml -c 1
