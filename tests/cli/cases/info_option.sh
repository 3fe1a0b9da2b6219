eryx info --jsno
