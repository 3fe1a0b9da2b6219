printf '[[callback]]\nname = "a"\ncommand = ["x"]\nparameters.default = 2020-01-01\n' > a.toml
eryx run --callbacks a.toml -c 1
