mkdir -p pkg/greet; echo 'def hello(): return "hello from an archive"' > pkg/greet/__init__.py; head -c 100000 /dev/zero > pkg/greet/data
ln -s data pkg/greet/link
tar -C pkg -czf pkg.tgz .
python3 - <<'END'
import zipfile
with zipfile.ZipFile("pkg.whl", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.write("pkg/greet/__init__.py", "greet/__init__.py")
    archive.write("pkg/greet/data", "greet/data")
END
cat > a.py <<'END'
import os, sys
sys.path.insert(0, "/pkg")
import greet
print(greet.hello(), sorted(os.listdir("/pkg/greet")), os.stat("/pkg/greet/data").st_size)
try:
    open("/pkg/new", "w").close()
    print(sorted(os.listdir("/pkg")))
except OSError as error:
    print(error.strerror)
END
eryx run --mount-archive pkg.tgz:/pkg a.py
eryx run --mount-archive pkg.whl:/pkg a.py
eryx run --mount-archive pkg.whl:/pkg:overlay a.py
