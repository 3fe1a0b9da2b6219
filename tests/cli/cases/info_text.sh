eryx info
