runtime=$(eryx info --json | sed -n 's/^  "runtime": "\(.*\)",$/\1/p')
cp "$runtime" a.cwasm && echo more >> a.cwasm && eryx run --runtime a.cwasm -c 'print(1)'
