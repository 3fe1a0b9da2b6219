# options: --secret API_KEY:api.test --secret-cleartext API_KEY
# received: GET /plain Bearer {VALUE} *
# received-no: GET /other *{VALUE}*
import os, urllib.request

key = os.environ['API_KEY']
PORT = os.environ['PORT_HTTP']
for url in f'http://api.test:{PORT}/plain', f'http://bad.test:{PORT}/other':
    request = urllib.request.Request(url, headers={'Authorization': f'Bearer {key}'})
    print(urllib.request.urlopen(request).read().decode().strip().replace(key, '<placeholder>'))
