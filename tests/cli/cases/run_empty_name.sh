eryx run ''
