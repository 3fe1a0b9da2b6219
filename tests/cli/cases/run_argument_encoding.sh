eryx run -c 1 ok "$(printf '\377')"
