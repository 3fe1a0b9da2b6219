mkdir out
cat > a.py <<'END'
import os, shutil
os.makedirs("/out/a/b")
with open("/out/f", "w") as file:
    file.write("x" * 200000)
with open("/out/f", "a") as file:
    file.write("tail")
print(os.path.getsize("/out/f"))
with open("/out/f", "r+") as file:
    file.seek(5)
    file.write("YYY")
    file.flush()
    os.fsync(file.fileno())
    file.truncate(10)
os.rename("/out/f", "/out/a/g")
os.link("/out/a/g", "/out/h")
os.utime("/out/h", (1e9, 1.5e9))
print(os.stat("/out/a/g").st_nlink, os.stat("/out/a/g").st_mtime)
for attempt in (lambda: open("/out/h", "x"), lambda: os.symlink("a", "/out/s"), lambda: os.rmdir("/out/a")):
    try:
        attempt()
    except OSError as error:
        print(type(error).__name__)
os.unlink("/out/h")
shutil.copytree("/out/a", "/out/c")
shutil.move("/out/c", "/tmp/c")
print(sorted(os.listdir("/tmp/c")), open("/tmp/c/g").read())
END
eryx run --mount out:/out:rw a.py; find out | sort; cat out/a/g
