# The file is replaced as a shell's > does it: links stay links, and it keeps its mode.
echo old > real.json
chmod 640 real.json
ln -s real.json link.json
eryx run --trace link.json -c 'print(open)' > /dev/null
stat -c '%N %a' link.json real.json
wc -l < real.json
umask 027
eryx run --trace new.json -c 'x = 1'
stat -c '%N %a' new.json
