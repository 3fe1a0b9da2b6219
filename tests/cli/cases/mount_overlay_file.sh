echo base > file.txt
eryx run --mount file.txt:/etc/one:overlay - <<'END'
import os
print(open("/etc/one").read().strip(), os.listdir("/etc"))
try:
    os.unlink("/etc/one")
except OSError as error:
    print(type(error).__name__)
with open("/etc/one", "a") as file:
    file.write("more")
print(open("/etc/one").read().split())
os.rename("/etc/one", "/etc/two")
print(os.listdir("/etc"))
END
cat file.txt
