echo 'import sys; print(sys.argv)' > -odd.py
eryx run -- -odd.py --memory 1
