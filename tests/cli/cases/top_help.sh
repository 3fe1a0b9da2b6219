# All ways of asking for help print the same.
eryx --help > a && eryx -h > b && eryx help > c
cmp a b && cmp a c && cat a
