printf '[[callback]]\nname = "a"\nname = "b"\n' > a.toml
eryx run --callbacks a.toml -c 1
