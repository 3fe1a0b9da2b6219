eryx info --verify
