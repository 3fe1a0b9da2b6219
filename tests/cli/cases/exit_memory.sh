eryx run --memory 128M -c 'x = []
while True: x.append(bytes(10**6))'
