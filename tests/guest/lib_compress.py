# zlib, gzip, zipfile, tarfile, binascii.
import binascii
import gzip
import io
import tarfile
import zipfile
import zlib

data = bytes(range(256)) * 1000
for level in (0, 1, 6, 9):
    assert zlib.decompress(zlib.compress(data, level)) == data
print('zlib', zlib.crc32(data), zlib.adler32(data), len(zlib.compress(data, 9)) < 5000)
stream = zlib.compressobj()
packed = b''.join([stream.compress(data[:1000]), stream.compress(data[1000:]), stream.flush()])
unpack = zlib.decompressobj()
print('stream', unpack.decompress(packed, 10), len(unpack.unconsumed_tail) > 0)
try:
    zlib.decompress(b'not packed')
except zlib.error as error:
    print(error)

with gzip.open('/tmp/data.gz', 'wt', encoding='utf-8') as file:
    file.write('Zeile ä\n' * 3)
with gzip.open('/tmp/data.gz', 'rt', encoding='utf-8') as file:
    print('gzip', file.readlines())
print(gzip.decompress(gzip.compress(b'x' * 10)))

buffer = io.BytesIO()
with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.writestr('folder/a.txt', 'content of a')
    archive.writestr(zipfile.ZipInfo('b.bin', (2024, 1, 2, 3, 4, 6)), data)
with zipfile.ZipFile(buffer) as archive:
    print('zip', archive.namelist(), archive.read('folder/a.txt'), archive.testzip())
    print(archive.getinfo('b.bin').date_time, archive.getinfo('b.bin').file_size)
    archive.extractall('/tmp/unzipped')
print(open('/tmp/unzipped/folder/a.txt').read())
try:
    zipfile.ZipFile(io.BytesIO(b'junk'))
except zipfile.BadZipFile as error:
    print(error)

buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode='w:gz') as archive:
    info = tarfile.TarInfo('dir/file')
    info.size = 5
    archive.addfile(info, io.BytesIO(b'hello'))
buffer.seek(0)
with tarfile.open(fileobj=buffer) as archive:
    print('tar', archive.getnames(), archive.extractfile('dir/file').read())
evil = io.BytesIO()
with tarfile.open(fileobj=evil, mode='w') as archive:
    archive.addfile(tarfile.TarInfo('../../outside'))
evil.seek(0)
try:
    tarfile.open(fileobj=evil).extractall('/tmp/untarred', filter='data')
except tarfile.FilterError as error:
    print(type(error).__name__)
print(binascii.hexlify(b'\x00\xff'), binascii.crc_hqx(b'123456789', 0), binascii.b2a_base64(b'x'))
