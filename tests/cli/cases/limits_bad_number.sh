eryx run --max-files many -c ''
