KEY=sk-live-4eC39HqLyjWDarjtT1zdp7dc; export KEY
cat > show.py <<'PY'
import os, sys
key = os.environ['KEY']
print(len(key), key.startswith('ERYX_SECRET_'), 'live' in key)
PY
eryx run --secret KEY:api.example.org show.py
printf 'file-live-value-of-32-characters\n' > key.txt
eryx run --secret KEY@key.txt:a.example.org,*.b.example.org,[::1],127.0.0.1 show.py
eryx run --secret 'KEY=with:colons:and:live:32:letters!:[::1]' show.py
# A value that comes in all the same does not come out.
echo $KEY | eryx run --stdin --secret KEY:api.example.org -c 'v = input(); print("live" in v, v); raise SystemExit(v)' 2>&1 | grep -c live-4eC || true
