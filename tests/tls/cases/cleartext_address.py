# options: --secret API_KEY:127.0.0.1 --secret-cleartext API_KEY
# received: GET /literal Bearer {VALUE} *
# received: GET /tls Bearer {VALUE} *
import os, urllib.request

key = os.environ['API_KEY']
for url in f"http://127.0.0.1:{os.environ['PORT_HTTP']}/literal", \
        f"https://127.0.0.1:{os.environ['PORT_HTTPS']}/tls":
    request = urllib.request.Request(url, headers={'Authorization': f'Bearer {key}'})
    print(urllib.request.urlopen(request).read().decode().strip().replace(key, '<placeholder>'))
