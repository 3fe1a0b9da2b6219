# tempfile: names, cleaning up, spooling.
import os
import pathlib
import tempfile

with tempfile.TemporaryDirectory(prefix='pre-') as folder:
    path = pathlib.Path(folder)
    (path / 'a').write_text('a')
    (path / 'sub').mkdir()
    (path / 'sub/b').write_text('b')
    print(path.is_dir(), path.name.startswith('pre-'), sorted(p.name for p in path.rglob('*')))
print('gone', path.exists())

with tempfile.NamedTemporaryFile('w+', suffix='.txt') as file:
    file.write('hello')
    file.flush()
    print(file.name.endswith('.txt'), open(file.name).read(), os.path.dirname(file.name) == tempfile.gettempdir())
    name = file.name
print('gone', os.path.exists(name))

with tempfile.NamedTemporaryFile(delete=False) as file:
    file.write(b'kept')
print('kept', open(file.name, 'rb').read())
os.unlink(file.name)

with tempfile.TemporaryFile() as file:
    file.write(b'anonymous')
    file.seek(0)
    print(file.read())

with tempfile.SpooledTemporaryFile(max_size=10) as file:
    file.write(b'short')
    print('in memory', not file._rolled)
    file.write(b'long enough to roll over')
    print('rolled', file._rolled, file.seek(0), file.read())

fd, name = tempfile.mkstemp(text=True)
os.write(fd, b'low level')
os.close(fd)
print(open(name).read())
os.remove(name)
names = {tempfile.mktemp() for _ in range(100)}
print('different names', len(names))
folder = tempfile.mkdtemp()
print(os.path.isdir(folder), os.listdir(folder))
os.rmdir(folder)
