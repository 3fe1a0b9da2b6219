runtime=$(eryx info --json | sed -n 's/^  "runtime": "\(.*\)",$/\1/p')

# Whatever is cut off, it is refused.
size=$(wc -c < "$runtime")
for keep in 1 100 4096 65536 $((size / 2)) $((size - 4096)) $((size - 1)); do
    head -c $keep "$runtime" > a.cwasm
    eryx run --runtime a.cwasm -c 'print(1)'
    echo $?
done
