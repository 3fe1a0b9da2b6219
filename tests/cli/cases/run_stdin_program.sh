echo 'import sys; print(sys.argv)' | eryx run - a b
