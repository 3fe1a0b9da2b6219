mkdir -p src/sub; echo hello > src/a.txt
cat > a.py <<'END'
import errno, os
tries = {
    "create": lambda: open("/data/new", "w"), "write": lambda: open("/data/a.txt", "r+"),
    "truncate": lambda: open("/data/a.txt", "w"), "mkdir": lambda: os.mkdir("/data/new"),
    "rmdir": lambda: os.rmdir("/data/sub"), "unlink": lambda: os.unlink("/data/a.txt"),
    "rename": lambda: os.rename("/data/a.txt", "/data/b.txt"), "utime": lambda: os.utime("/data/a.txt"),
    "link": lambda: os.link("/data/a.txt", "/data/l"), "symlink": lambda: os.symlink("a", "/data/l"),
    "link out": lambda: os.link("/data/a.txt", "/tmp/l"),
    "rename out": lambda: os.rename("/data/a.txt", "/tmp/l"),
    "rename in": lambda: os.rename("/tmp", "/data/l"),
    "rmdir mount": lambda: os.rmdir("/data"), "rename mount": lambda: os.rename("/data", "/tmp/l"),
}
for name, attempt in tries.items():
    try:
        print(name, attempt())
    except OSError as error:
        print(name, errno.errorcode[error.errno])
END
eryx run --mount src:/data a.py; ls src; cat src/a.txt
