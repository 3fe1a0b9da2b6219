eryx run --trace t.json -c 'x = 1
raise ValueError("no")' 2> err
echo $?
tail -n 1 t.json
