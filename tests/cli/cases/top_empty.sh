eryx ''
