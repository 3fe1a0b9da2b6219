eryx run -c 'import sys; sys.exit("the message")'
