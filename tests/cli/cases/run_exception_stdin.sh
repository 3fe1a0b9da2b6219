echo '1 / 0' | eryx run -
