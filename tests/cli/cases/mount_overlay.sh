# Random operations on an overlay and on a copy of the same tree in memory: the same results, and the same tree
# afterwards; nothing of it is to be seen outside.
mkdir -p src/a/b/c src/d src/e/f
for file in x a/y a/b/z a/b/c/w d/v; do echo "content of $file" > src/$file; done
head -c 200000 /dev/zero > src/e/big; ln -s ../x src/a/lx; ln -s b src/a/lb; ln -s nowhere src/dangling
find src -type f -exec cksum {} + | sort > before
for seed in 1 2 3; do eryx run --mount src:/mount:overlay "$CASES/mount_operations.py" $seed overlay; done
find src -type f -exec cksum {} + | sort | diff before - && find src | wc -l
eryx run --mount src:/mount:rw "$CASES/mount_operations.py" 4 rw
