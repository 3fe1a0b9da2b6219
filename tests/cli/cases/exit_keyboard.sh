eryx run -c 'raise KeyboardInterrupt'
