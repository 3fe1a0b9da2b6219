eryx run -c 'raise ValueError("ä")'
