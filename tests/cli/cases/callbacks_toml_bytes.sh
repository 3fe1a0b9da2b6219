printf '# \303\244 \377\n' > a.toml
eryx run --callbacks a.toml -c 1
