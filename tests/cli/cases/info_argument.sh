eryx info x
