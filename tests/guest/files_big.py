# A file of 50 MB, written, read, searched and removed.
import hashlib
import os

path = '/tmp/big'
block = bytes(range(256)) * 4096
with open(path, 'wb') as file:
    for _ in range(50):
        file.write(block)
print(os.path.getsize(path))

digest = hashlib.sha256()
with open(path, 'rb') as file:
    while chunk := file.read(1 << 20):
        digest.update(chunk)
print(digest.hexdigest() == hashlib.sha256(block * 50).hexdigest())

with open(path, 'r+b') as file:
    file.seek(40_000_000)
    file.write(b'needle')
    file.seek(39_999_990)
    print(file.read(26).find(b'needle'))
    file.truncate(1000)
print(os.path.getsize(path))
os.remove(path)

for _ in range(20):  # the memory of removed files is used again
    with open(path, 'wb') as file:
        for _ in range(50):
            file.write(block)
    os.remove(path)
print('again and again')
