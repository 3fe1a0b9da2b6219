# The old file stays when there is no room for the new one, and nothing else is left.
echo old > t.json
(ulimit -f 64; trap '' XFSZ; eryx run --trace t.json -c 'for i in range(10000):
    pass')
echo $?
cat *
