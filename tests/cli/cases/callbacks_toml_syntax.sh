printf '[[callback]]\nname = "a"\ncommand = ["x",,]\n' > a.toml
eryx run --callbacks a.toml -c 1
