"""The same random operations on /mount and on a copy of it in memory; prints what differs.

sys.argv: the seed, and what the mount is: overlay or rw."""
import os
import random
import shutil
import stat
import sys

COPY = "/tmp/copy"
NAMES = ["x", "a", "a/y", "a/b", "a/b/z", "a/b/c", "a/b/c/w", "d", "d/v", "e", "e/f", "e/big", "a/lx", "a/lb",
         "a/lb/z", "dangling", "new", "a/new", "a/b/new", "new/in", "e/f/in", "nowhere", "a/b/../y", "d/../x",
         "a/b/c/", "x/"]
EXDEV = 75


def tree(root):
    """Relative path: content, target, or None for a directory."""
    result = {}
    for where, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(where, name)
            mode = os.lstat(path).st_mode
            relative = path[len(root):]
            assert relative not in result, f"{relative} is listed twice"
            if stat.S_ISLNK(mode):
                result[relative] = os.readlink(path)
            else:
                result[relative] = open(path, "rb").read() if stat.S_ISREG(mode) else None
    return result


def write(path, mode, data):
    with open(path, mode) as file:
        return file.write(data)


def patch(path, data):
    with open(path, "r+b") as file:
        file.seek(3)
        file.write(data)
        file.truncate(5000)
        return file.tell()


def set_times(path):
    os.utime(path, (5, 6))
    return os.stat(path).st_mtime


OPERATIONS = {
    "write": lambda path, other, data: write(path, "wb", data),
    "append": lambda path, other, data: write(path, "ab", data),
    "exclusive": lambda path, other, data: write(path, "xb", data),
    "patch": lambda path, other, data: patch(path, data),
    "read": lambda path, other, data: open(path, "rb").read(),
    "mkdir": lambda path, other, data: os.mkdir(path),
    "rmdir": lambda path, other, data: os.rmdir(path),
    "unlink": lambda path, other, data: os.unlink(path),
    "rename": lambda path, other, data: os.rename(path, other),
    "rename too": lambda path, other, data: os.rename(path, other),
    "link": lambda path, other, data: os.link(path, other),
    "symlink": lambda path, other, data: os.symlink(os.path.basename(other), path),
    "readlink": lambda path, other, data: os.readlink(path),
    "list": lambda path, other, data: sorted(os.listdir(path)),
    "times": lambda path, other, data: set_times(path),
    "size": lambda path, other, data: os.stat(path).st_size if os.path.isfile(path) else os.path.isdir(path),
    "exists": lambda path, other, data: (os.path.exists(path), os.path.lexists(path)),
    "rmtree": lambda path, other, data: shutil.rmtree(path),
}


def outcome(kind, root, first, second, data):
    try:
        return OPERATIONS[kind](os.path.join(root, first), os.path.join(root, second), data)
    except OSError as error:
        return type(error).__name__, error.errno


def main():
    seed, mount = int(sys.argv[1]), sys.argv[2]
    random_ = random.Random(seed)
    shutil.copytree("/mount", COPY, symlinks=True)
    assert tree("/mount") == tree(COPY), "before the first operation"
    for count in range(300):
        kind = random_.choice(list(OPERATIONS))
        arguments = (random_.choice(NAMES), random_.choice(NAMES),
                     bytes([count % 256]) * random_.choice([0, 1, 100, 70000]))
        if kind == "rmtree" and random_.random() < 0.7 or kind == "symlink" and mount == "rw":
            continue
        mounted = outcome(kind, "/mount", *arguments)
        if mounted == ("OSError", EXDEV):
            continue  # a directory that has a part outside
        copied = outcome(kind, COPY, *arguments)
        if mounted != copied:
            print(seed, count, kind, *arguments[:2], "expected", copied, "got", mounted)
        if count % 10 == 9 and tree("/mount") != tree(COPY):
            print(seed, count, kind, *arguments[:2], "expected", sorted(tree(COPY)), "got", sorted(tree("/mount")))
            break
    print("compared", len(tree("/mount")) > 0)


main()
