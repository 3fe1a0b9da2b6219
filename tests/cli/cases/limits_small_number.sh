eryx run --max-recursion 5 -c ''
