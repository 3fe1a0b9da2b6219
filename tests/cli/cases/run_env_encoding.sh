eryx run --env "A=$(printf '\377')" -c 1
