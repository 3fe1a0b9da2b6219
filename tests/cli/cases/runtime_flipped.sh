runtime=$(eryx info --json | sed -n 's/^  "runtime": "\(.*\)",$/\1/p')

# One byte of machine code or memory is different: --verify finds it.
cp "$runtime" a.cwasm && chmod u+w a.cwasm
size=$(wc -c < "$runtime")
printf 'x' | dd of=a.cwasm bs=1 seek=$((size / 2)) conv=notrunc 2> dd.log
cmp -s "$runtime" a.cwasm && printf 'y' | dd of=a.cwasm bs=1 seek=$((size / 2)) conv=notrunc 2> dd.log
eryx info --verify --runtime a.cwasm
