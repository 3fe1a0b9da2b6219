mkfifo pipe && eryx run -r pipe -c pass
