# Waiting for input counts, too.
mkfifo never
exec 3<> never
eryx run --timeout 300ms --stdin -c 'input()' < never
