eryx run --timeout 300ms -c 'import re; re.match("(a+)+$", "a" * 50 + "b")'
