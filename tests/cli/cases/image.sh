cat > warm.py <<'END'
import colorsys
table = {n: n * n for n in range(1000)}
print("made once")
END
eryx image build -o own.cwasm --code warm.py
eryx run --runtime own.cwasm -c 'print(table[12], colorsys.__name__)'
ERYX_RUNTIME=own.cwasm eryx run -c 'print(table[13])'
