eryx run --result '' -c 'x = 6
x * 7'
