eryx --help > /dev/full
