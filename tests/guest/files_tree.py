# Directories: making, walking, renaming, linking, removing.
import errno
import glob
import os
import pathlib
import shutil
import stat

base = pathlib.Path('/tmp/tree')


def attempt(name, function):
    try:
        print(name, function())
    except OSError as error:
        print(name, type(error).__name__, errno.errorcode[error.errno])


def show(name):
    print(name, sorted(str(path.relative_to(base)) for path in base.rglob('*')))


(base / 'a/b/c').mkdir(parents=True)
(base / 'a/one.txt').write_text('one')
(base / 'a/b/two.txt').write_text('two')
(base / 'a/b/c/three.dat').write_bytes(b'three')
show('tree')
attempt('mkdir existing', lambda: (base / 'a').mkdir())
attempt('mkdir in missing', lambda: (base / 'x/y').mkdir())
attempt('mkdir in file', lambda: (base / 'a/one.txt/y').mkdir())
attempt('rmdir full', lambda: (base / 'a').rmdir())
attempt('rmdir file', lambda: os.rmdir(base / 'a/one.txt'))
attempt('unlink missing', lambda: os.unlink(base / 'missing'))
attempt('listdir file', lambda: os.listdir(base / 'a/one.txt'))
attempt('listdir missing', lambda: os.listdir(base / 'missing'))
attempt('makedirs exist_ok', lambda: os.makedirs(base / 'a/b', exist_ok=True))

for folder, folders, files in os.walk(base):
    folders.sort()
    print('walk', os.path.relpath(folder, base), folders, sorted(files))
with os.scandir(base / 'a') as entries:
    for entry in sorted(entries, key=lambda entry: entry.name):
        print('scandir', entry.name, entry.is_file(), entry.is_dir(), entry.is_symlink(),
              entry.stat().st_size if entry.is_file() else '-')
print('glob', sorted(glob.glob('**/*.txt', root_dir=base, recursive=True)))
print('Path.glob', sorted(path.name for path in base.glob('*/*/*')))

os.rename(base / 'a/one.txt', base / 'a/uno.txt')
os.replace(base / 'a/uno.txt', base / 'a/b/two.txt')
print('replace', (base / 'a/b/two.txt').read_text())
os.rename(base / 'a/b', base / 'moved')
show('renamed')
attempt('rename missing', lambda: os.rename(base / 'missing', base / 'z'))
attempt('rename into itself', lambda: os.rename(base / 'moved', base / 'moved/c/d'))
attempt('rename folder onto file', lambda: os.rename(base / 'a', base / 'moved/two.txt'))
attempt('rename file onto folder', lambda: os.rename(base / 'moved/two.txt', base / 'a'))
attempt('rename folder onto full folder', lambda: os.rename(base / 'a', base / 'moved'))
attempt('rename folder onto empty folder', lambda: os.rename(base / 'moved', base / 'a'))
attempt('rename onto itself', lambda: os.rename(base / 'a', base / 'a'))
show('after renames')

os.link(base / 'a/two.txt', base / 'hard')
print('hard link', os.stat(base / 'hard').st_nlink, os.path.samefile(base / 'hard', base / 'a/two.txt'))
(base / 'hard').write_text('through the link')
print('shared', (base / 'a/two.txt').read_text())
os.remove(base / 'a/two.txt')
print('survives', (base / 'hard').read_text(), os.stat(base / 'hard').st_nlink)
attempt('link folder', lambda: os.link(base / 'a', base / 'b'))

os.symlink('hard', base / 'soft')
print('symlink', os.readlink(base / 'soft'), (base / 'soft').read_text(), (base / 'soft').is_symlink())
print('lstat', stat.S_ISLNK(os.lstat(base / 'soft').st_mode), stat.S_ISREG(os.stat(base / 'soft').st_mode))
os.symlink('a', base / 'folder')
print('through folder link', os.listdir(base / 'folder'))
print('resolve', (base / 'folder/c').resolve())
os.symlink('nowhere', base / 'dangling')
attempt('dangling', lambda: (base / 'dangling').read_text())
print('dangling', (base / 'dangling').exists(), os.path.lexists(base / 'dangling'))
attempt('write through dangling', lambda: (base / 'dangling').write_text('made'))
print('made', (base / 'nowhere').read_text())
os.symlink('loop', base / 'loop')
attempt('loop', lambda: (base / 'loop').read_text())
os.unlink(base / 'soft')
print('link gone, target stays', (base / 'hard').exists())

shutil.copytree(base / 'a', base / 'copy')
shutil.move(base / 'copy', base / 'copied')
print('copied', sorted(os.listdir(base / 'copied/c')))
shutil.copy2(base / 'hard', base / 'hard2')
print('disk usage', shutil.disk_usage('/').total > 0 if hasattr(os, 'statvfs') else True)
os.chdir(base / 'a')
print('cwd', os.getcwd(), os.path.abspath('..'), sorted(os.listdir('..')))
attempt('chdir missing', lambda: os.chdir('missing'))
print('cwd stays', pathlib.Path.cwd())
os.chdir('/')
shutil.rmtree(base)
print('removed', base.exists())

os.makedirs('/tmp/many')
for n in range(2000):
    with open(f'/tmp/many/{n:04}', 'w') as file:
        file.write(str(n))
names = sorted(os.listdir('/tmp/many'))
print('many', len(names), names[0], names[-1], open('/tmp/many/1234').read())
for name in names:
    os.remove(f'/tmp/many/{name}')
print('none', os.listdir('/tmp/many'))
print('unicode name', os.mkdir('/tmp/many/grüße 🐍'), os.listdir('/tmp/many'))
deep = '/tmp/deep' + '/d' * 100
os.makedirs(deep)
print('deep', os.path.isdir(deep), len(list(os.walk('/tmp/deep'))))
