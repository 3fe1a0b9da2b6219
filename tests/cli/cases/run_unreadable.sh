# As root everything is readable: then a link to itself stands for it.
echo 'print(1)' > a.py && chmod 000 a.py
if [ "$(id -u)" = 0 ]; then rm a.py && ln -s a.py a.py; fi
eryx run a.py
