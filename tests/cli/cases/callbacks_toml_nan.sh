printf '[[callback]]\nname = "a"\ncommand = ["x"]\ntimeout = nan\n' > a.toml
eryx run --callbacks a.toml -c 1
