eryx session exec work -c 'x = [1]
def add(n): x.append(n); return x
open("/tmp/kept", "w").write("file")'
eryx session exec work -c 'print(add(2), open("/tmp/kept").read())'
eryx session exec work --result x -c 'x.append(3)'
eryx session fork work other
eryx session exec other --timeout 300ms -c 'x.clear()
while True: pass'
echo "stopped with $?"
eryx session exec other -c 'print(x); x.append(4); 1 / 0'
echo "failed with $?"
eryx session exec other -c 'print(x)'
eryx session exec work -c 'print(x)'
eryx session list | cut -d' ' -f1
eryx session rm other
eryx session rm other
eryx session rm nobody
eryx session fork nobody copy
eryx session list | cut -d' ' -f1
ls .local/state/eryx/sessions
