# timeout: 1
print('before', flush=True)
while True:
    pass
