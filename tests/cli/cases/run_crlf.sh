printf 'if 1:\r\n    print("crlf")\r\n' > a.py && eryx run a.py
