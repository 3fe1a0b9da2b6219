eryx help run > a && eryx run --help > b && eryx run -h > c && cmp a b && cmp a c && cat a
