mkdir src && echo text > src/a
eryx run --mount src:/data:RW -c pass || echo $?
eryx run --mount src:/da:ta:ro -c 'print(open("/da:ta/a").read().strip())'
