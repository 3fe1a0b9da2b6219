eryx run -c 'pass' >&- 2>&- <&-
