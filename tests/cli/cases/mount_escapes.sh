mkdir -p box/src/sub; echo secret > box/secret; echo fine > box/src/fine
ln -s ../secret box/src/up; ln -s "$PWD/box/secret" box/src/absolute; ln -s /etc box/src/etc
ln -s /proc/self/root box/src/magic; ln -s / box/src/root; ln -s loop box/src/loop; mkfifo box/src/fifo
cat > a.py <<'END'
import errno, os
for name in ("up", "absolute", "etc/passwd", "magic", "root/etc/passwd", "loop", "fifo", "../secret", "sub/../../secret",
             "fine/../fine", "fine/", "sub/" + "x" * 300, "x\ud800", "/".join(["sub"] * 2000)):
    try:
        print(name[:20], open("/data/src/" + name).read())
    except (OSError, ValueError) as error:
        print(ascii(name[:20]), errno.errorcode[error.errno] if isinstance(error, OSError) else error)
# Links lead to what is there in the sandbox.
open("/data/secret", "w").write("of the sandbox")
print(open("/data/src/up").read(), os.listdir("/data/src/root/tmp"))
try:
    os.open("/data/src/fifo", os.O_WRONLY)
except OSError as error:
    print(errno.errorcode[error.errno])
END
eryx run --mount box/src:/data/src a.py
eryx run --mount box/src:/data/src:rw - <<'END'
import os
for attempt in (lambda: os.link("/data/src/fine", "/data/fine"), lambda: os.link("/etc", "/data/src/etc2"),
                lambda: os.rename("/data/src/fine", "/data/src/../fine"), lambda: open("/data/src/up", "w").close(),
                lambda: os.symlink("../secret", "/data/src/made")):
    try:
        print(attempt())
    except OSError as error:
        print(type(error).__name__)
print(open("/data/secret").read() == "")
END
cat box/secret; ls box
