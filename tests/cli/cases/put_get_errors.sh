mkdir folder; echo x > file; ln -s elsewhere folder/link
eryx run --get /tmp/nothing:out -c 'print("ran")'; echo $?
eryx run --get /dev/zero:out -c 'print("ran")'; echo $?
eryx run --get /tmp/a:folder/no/out -c 'open("/tmp/a", "w").close()'; echo $?
eryx run --get /tmp/d:folder -c 'import os; os.mkdir("/tmp/d"); open("/tmp/d/link", "w").close()'; echo $?
eryx run --get /tmp/a:out --timeout 300ms -c 'open("/tmp/a", "w").close()
while True: pass'; echo $?
eryx run --get /tmp/a:out -c 'open("/tmp/a", "w").write("saved"); raise SystemExit(3)'; echo $? "$(cat out)"
eryx run --put nothing:/tmp/a -c 'print("ran")'; echo $?
eryx run --put file:/tmp/no/a -c 'print("ran")'; echo $?
eryx run --put file:/tmp -c 'print("ran")'; echo $?
eryx run --put /dev/null:/tmp/a -c 'print("ran")'; echo $?
eryx run --put file -c 1; echo $?
eryx run --put file:relative -c 1; echo $?
eryx run --get relative:file -c 1; echo $?
eryx run --get /tmp/a: -c 1; echo $?
