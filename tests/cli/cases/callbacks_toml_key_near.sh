printf '[[callback]]\nname = "a"\ncomand = ["x"]\n' > a.toml
eryx run --callbacks a.toml -c 1
