runtime=$(eryx info --json | sed -n 's/^  "runtime": "\(.*\)",$/\1/p')
eryx info --json --runtime "$runtime" > a && eryx info --json > b && cmp a b
