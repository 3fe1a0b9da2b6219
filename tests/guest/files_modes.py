# Open modes, positions and sizes of files.
import io
import os

os.makedirs('/tmp/modes')
os.chdir('/tmp/modes')


def attempt(name, function):
    try:
        print(name, function())
    except (OSError, ValueError) as error:
        print(name, type(error).__name__)


with open('a', 'w') as file:
    print('w', file.write('line 1\nline 2\n'), file.tell())
with open('a') as file:
    print('r', file.readlines())
with open('a', 'a') as file:
    file.write('line 3\n')
    print('a', file.tell())
attempt('x on existing', lambda: open('a', 'x'))
with open('b', 'x') as file:
    file.write('new')
print('x', open('b').read())
with open('a', 'r+') as file:
    file.seek(5)
    file.write('ONE')
    file.seek(0)
    print('r+', repr(file.read()))
with open('a', 'w+') as file:
    file.write('fresh')
    file.seek(0)
    print('w+', file.read())
with open('a', 'a+b') as file:
    file.write(b'!')
    file.seek(0)
    print('a+b', file.read())
    file.seek(0)
    file.write(b'?')
    file.seek(0)
    print('append ignores seek', file.read())
attempt('r missing', lambda: open('missing'))
attempt('r+ missing', lambda: open('missing', 'r+'))
attempt('w in missing folder', lambda: open('no/where', 'w'))
attempt('w on folder', lambda: open('/tmp/modes', 'w'))
attempt('r on folder', lambda: open('/tmp/modes').read())
attempt('file as folder', lambda: open('a/b'))
attempt('file with slash', lambda: open('a/'))
attempt('mode', lambda: open('a', 'q'))
attempt('write to r', lambda: open('a').write('x'))
attempt('read from w', lambda: open('c', 'w').read())
closed = open('a')
closed.close()
attempt('closed', closed.read)

with open('sparse', 'wb') as file:
    file.seek(100_000)
    file.write(b'end')
print('sparse', os.path.getsize('sparse'), open('sparse', 'rb').read(3))
with open('sparse', 'r+b') as file:
    print('truncate', file.truncate(10), os.fstat(file.fileno()).st_size)
    print('grow', file.truncate(20), file.seek(0, 2))
    print('seek', file.seek(-5, os.SEEK_END), file.read(), file.seek(3), file.seek(4, os.SEEK_CUR))
    attempt('seek before start', lambda: file.seek(-1))
print('content', open('sparse', 'rb').read())

with open('raw', 'wb', buffering=0) as file:
    print('raw', type(file).__name__, file.write(b'abc'), open('raw', 'rb').read())
with open('lines', 'w', buffering=1) as file:
    file.write('whole\npart')
    print('line buffered', repr(open('lines').read()))

fd = os.open('low', os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
print('os', os.write(fd, b'0123456789'), os.lseek(fd, 2, os.SEEK_SET), os.read(fd, 3))
print('pread', os.pread(fd, 4, 5), os.pwrite(fd, b'XY', 0), os.lseek(fd, 0, os.SEEK_CUR))
os.ftruncate(fd, 4)
os.fsync(fd)
print('ftruncate', os.fstat(fd).st_size, os.pread(fd, 100, 0))
os.close(fd)
attempt('closed descriptor', lambda: os.read(fd, 1))
attempt('O_EXCL', lambda: os.open('low', os.O_RDWR | os.O_CREAT | os.O_EXCL))
attempt('O_DIRECTORY', lambda: os.open('low', os.O_RDONLY | os.O_DIRECTORY))
os.truncate('low', 2)
print('truncate by path', open('low', 'rb').read())

with open('text', 'w', newline='') as file:
    file.write('a\r\nb\rc\n')
print('universal', open('text').readlines())
print('newline empty', open('text', newline='').readlines())
print('bytes', open('text', 'rb').read())
with open('utf16', 'w', encoding='utf-16') as file:
    file.write('grün')
print('utf-16', open('utf16', encoding='utf-16').read(), os.path.getsize('utf16'))
attempt('wrong encoding', lambda: open('utf16', encoding='utf-8').read())
print('errors', open('utf16', encoding='ascii', errors='ignore').read().replace('\0', ''))

reader = io.BufferedReader(io.FileIO('low'))
print('peek', reader.peek(1)[:1], reader.read())
first = open('shared', 'w')
second = open('shared')
first.write('seen')
first.flush()
print('two openings', second.read())
os.remove('shared')
first.write(' and after removal')
first.flush()
print('unlinked', second.read(), os.path.exists('shared'))
first.close()
second.close()
