echo 'print("from a file")' > hello.py
eryx run hello.py
