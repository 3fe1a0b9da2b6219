"""os.dup, which WASI has not: a file once more, with a position of its own."""
import errno
import os

with open("/tmp/a", "w+b") as file:
    file.write(b"0123456789")
    file.flush()
    file.seek(4)
    copy = os.dup(file.fileno())
    print(copy != file.fileno(), os.read(copy, 3), os.lseek(copy, 0, os.SEEK_CUR), file.tell())
    os.lseek(copy, 0, os.SEEK_END)
    os.write(copy, b"ab")
    print(os.fstat(copy).st_ino == os.fstat(file.fileno()).st_ino)
with os.fdopen(copy, "r+b") as file:  # open when the original is closed, and when its name is gone
    os.unlink("/tmp/a")
    file.seek(8)
    print(file.read())

append = os.open("/tmp/b", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
os.write(append, b"one")
copy = os.dup(append)
os.lseek(copy, 0, os.SEEK_SET)
os.write(copy, b"two")
print(open("/tmp/b").read(), os.get_inheritable(copy) if hasattr(os, "get_inheritable") else "")

reading = os.dup(os.open("/tmp/b", os.O_RDONLY))
try:
    os.write(reading, b"x")
except OSError as error:
    print(error.errno == errno.EBADF)

folder = os.dup(os.open("/tmp", os.O_RDONLY | os.O_DIRECTORY))
print(sorted(os.listdir("/tmp")), os.stat("b", dir_fd=folder).st_size)

for wrong, kind in ((99, errno.EBADF), (-1, None), (1, errno.ENOTSUP)):
    try:
        print(os.dup(wrong))
    except (OSError, ValueError) as error:
        print(type(error).__name__, getattr(error, "errno", None) == kind)

made = []
try:
    while True:
        made.append(os.dup(append))
except OSError as error:
    print(error.errno == errno.EMFILE, 900 < len(made) <= 1000)
for fd in made:
    os.close(fd)
print(os.close(os.dup(append)))
