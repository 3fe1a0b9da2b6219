# Times, modes and other attributes.
import os
import stat
import time

path = '/tmp/stamped'
before = time.time() - 0.01
with open(path, 'w') as file:
    file.write('x')
status = os.stat(path)
print('recent', before <= status.st_mtime <= time.time() + 0.01, before <= status.st_atime)
print('fields', status.st_size, status.st_nlink, stat.S_ISREG(status.st_mode), status.st_ino > 0)

os.utime(path, (1_000_000_000, 1_234_567_890))
status = os.stat(path)
print('utime', status.st_atime, status.st_mtime)
os.utime(path, ns=(1_000_000_000_123_456_789, 1_234_567_890_987_654_321))
status = os.stat(path)
print('ns', status.st_atime_ns, status.st_mtime_ns)
with open(path, 'a') as file:
    os.utime(file.fileno(), (5, 6))
    print('by descriptor', os.fstat(file.fileno()).st_mtime)
with open(path, 'a') as file:
    file.write('y')
print('writing sets mtime', os.stat(path).st_mtime > before)
os.utime(path)
print('now', os.stat(path).st_mtime >= before)
os.mkdir('/tmp/folder')
print('folder', stat.S_ISDIR(os.stat('/tmp/folder').st_mode), stat.filemode(os.stat('/tmp/folder').st_mode)[0])
os.utime('/tmp/folder', (7, 8))
print('folder times', os.stat('/tmp/folder').st_mtime)
os.symlink('stamped', '/tmp/link')
os.utime('/tmp/link', (9, 10), follow_symlinks=False)
print('link times', os.lstat('/tmp/link').st_mtime, os.stat('/tmp/link').st_mtime >= before)
print('access', os.access(path, os.R_OK | os.W_OK), os.access('/tmp/missing', os.F_OK))
print('same', os.path.samestat(os.stat(path), os.stat(path)),
      os.stat(path).st_ino != os.stat('/tmp/folder').st_ino)
print('libraries', os.path.getmtime(os.__file__) <= time.time(), os.path.getsize(os.__file__) > 10_000)
