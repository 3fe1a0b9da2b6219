printf 'version = 1\n' > a.toml
eryx run --callbacks a.toml -c 1
