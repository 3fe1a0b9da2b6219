eryx run --disk 100K --max-files 10 --max-open-files 8 --max-recursion 3000 -c '
import errno, sys
def error(f):
    try: f()
    except OSError as e: return errno.errorcode[e.errno]
def fill():
    with open("/tmp/a", "wb") as f: f.write(b"x" * 200000)
def many():
    for i in range(20): open(f"/tmp/{i}", "w").close()
held = []
def hold():
    while True: held.append(open("/tmp/a"))
print(error(fill), error(many), error(hold))
sys.setrecursionlimit(10**6)
print(sys.getrecursionlimit())'
