eryx run --result "$(printf '\377')" -c 1
