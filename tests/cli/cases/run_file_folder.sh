mkdir d && echo 'import sys; print(sys.argv, __name__)' > d/a.py
eryx run d/a.py x
