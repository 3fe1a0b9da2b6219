runtime=$(eryx info --json | sed -n 's/^  "runtime": "\(.*\)",$/\1/p')
cp "$runtime" a.cwasm && eryx run --runtime a.cwasm -c 'print(1)' && ERYX_RUNTIME=a.cwasm eryx run -c 'print(2)'
