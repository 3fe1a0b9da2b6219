mkdir -p src/sub; echo hello > src/a.txt; echo deep > src/sub/b.txt; ln -s a.txt src/link; ln -s sub src/dir
echo single > one.txt
cat > a.py <<'END'
import os
print(sorted(os.listdir("/data")), os.listdir("/data/dir"))
for name in ("a.txt", "sub/b.txt", "link", "dir/b.txt", "sub/../a.txt", "./a.txt"):
    print(name, open("/data/" + name).read().strip())
print(open("/one").read().strip())
os.chdir("/data/dir")
print(os.getcwd(), open("b.txt").read().strip(), open("../a.txt").read().strip())
for where, folders, files in os.walk("/data"):
    print(where, sorted(folders), sorted(files))
END
eryx run --mount src:/data/ --mount one.txt:/one a.py
