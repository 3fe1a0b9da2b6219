printf '[callback]\nname = "a"\n' > a.toml
eryx run --callbacks a.toml -c 1
