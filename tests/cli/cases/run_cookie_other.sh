printf '# vim: set fileencoding=latin-1 :\nprint("\344")\n' > a.py && eryx run a.py
