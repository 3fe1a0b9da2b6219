# What a symbolic link leads to is the same file, by whatever name: os.stat, samefile, scandir.
import os
import shutil

os.chdir('/tmp')
os.mkdir('folder')
with open('folder/file', 'w') as file:
    file.write('text')
os.symlink('folder/file', 'relative')
os.symlink('/tmp/folder/file', 'absolute')
os.symlink('relative', 'link of link')
os.symlink('folder', 'link of folder')
os.link('folder/file', 'hard')

inode = os.stat('folder/file').st_ino
for name in ('relative', 'absolute', 'link of link', 'link of folder/file', 'hard'):
    print(name, os.stat(name).st_ino == inode, os.lstat(name).st_ino == inode,
          os.path.samefile(name, 'folder/file'))
directory = os.open('/tmp', os.O_RDONLY)
print(os.stat('relative', dir_fd=directory).st_ino == inode,
      os.stat('relative', dir_fd=directory, follow_symlinks=False).st_ino == inode)
os.close(directory)
with open('relative') as file:
    print(os.path.sameopenfile(file.fileno(), file.fileno()), os.fstat(file.fileno()).st_ino == inode)
for entry in sorted(os.scandir('/tmp'), key=lambda entry: entry.name):
    print(entry.name, entry.inode() == inode, entry.stat().st_ino == inode,
          entry.stat(follow_symlinks=False).st_ino == inode)
try:
    shutil.copyfile('folder/file', 'relative')
except shutil.SameFileError as error:
    print(type(error).__name__, open('folder/file').read())
try:
    os.stat('missing')
except FileNotFoundError as error:
    print(error)
print(os.lstat('relative').st_ino != os.stat('relative').st_ino)
