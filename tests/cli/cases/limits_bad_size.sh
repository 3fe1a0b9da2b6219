eryx run --disk 5X -c ''
