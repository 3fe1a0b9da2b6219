python3 - <<'END'
import io, tarfile, zipfile
def tar(name, *entries):
    with tarfile.open(name, "w") as archive:
        for info, data in entries:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
def entry(name, kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info
tar("up.tar", (entry("../up"), b"x"))
tar("inner.tar", (entry("a/../../up"), b"x"))
tar("long.tar", (entry("x" * 300), b"x"))
tar("file_above.tar", (entry("a"), b"x"), (entry("a/b"), b"x"))
tar("directory.tar", (entry("a/b"), b"x"), (entry("a"), b"x"))
tar("link_missing.tar", (entry("a", tarfile.LNKTYPE, "b"), b""))
tar("link_out.tar", (entry("a", tarfile.LNKTYPE, "../b"), b""))
tar("fine.tar", (entry("/absolute"), b"one"), (entry("./a//b"), b"two"), (entry("c", tarfile.LNKTYPE, "a/b"), b""),
    (entry("d", tarfile.SYMTYPE, "/etc/passwd"), b""), (entry("e", tarfile.FIFOTYPE), b""), (entry("a/b"), b"three"),
    (entry("f", tarfile.CHRTYPE), b""))
data = open("fine.tar", "rb").read()
open("cut.tar", "wb").write(data[:700])
open("text", "wb").write(b"no archive at all\n" * 100)
open("empty", "wb").write(b"")
with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("big", bytes(64 << 20))
with zipfile.ZipFile("many.zip", "w") as archive:
    for number in range(100001):
        archive.writestr(f"{number}", b"")
END
for file in up.tar inner.tar long.tar file_above.tar directory.tar link_missing.tar link_out.tar cut.tar text bomb.zip many.zip nothing .; do
    eryx run --mount-archive $file:/a -c 1 2>&1 | cut -c1-150
done
eryx run --mount-archive fine.tar:/a - <<'END'
import os
print(sorted(os.listdir("/a")), [open("/a/" + name).read() for name in ("absolute", "a/b", "c")], os.path.exists("/a/d"))
END
