eryx run --max-recursion 5000000000 -c ''
