printf 'a,b\n1,2\n' > in.csv; mkdir -p tree/sub; echo one > tree/one; echo two > tree/sub/two; ln -s one tree/link
cat > a.py <<'END'
import os
print(open("/tmp/in.csv").read().split(), sorted(os.listdir("/data/deep/tree")), open("/data/deep/tree/sub/two").read())
os.makedirs("/tmp/out/sub/empty")
open("/tmp/out/file", "wb").write(bytes(range(256)) * 4096)
open("/tmp/out/sub/text", "w").write("text\n")
os.symlink("/etc/passwd", "/tmp/out/link")
END
eryx run --put in.csv:/tmp/in.csv --put tree:/data/deep/tree --get /tmp/out:out --get /tmp/out/sub/text:copy.txt a.py
find out | sort; cksum < out/file; cat copy.txt
# A file that is there is replaced; what a directory has stays.
echo old > copy.txt; echo mine > out/mine
eryx run --get /tmp/t:copy.txt --get /tmp/d:out -c 'import os; open("/tmp/t", "w").write("new\n"); os.mkdir("/tmp/d")'
cat copy.txt out/mine; ls
