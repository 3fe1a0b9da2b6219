printf '\377' | eryx run -
