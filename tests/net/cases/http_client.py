# options: --allow-net 127.0.0.1:{http}
# http.client and urllib: keep-alive, chunked bodies, large bodies both ways, redirects.
import http.client
import os
import urllib.error
import urllib.request

port = os.environ['PORT_HTTP']
client = http.client.HTTPConnection('127.0.0.1', int(port))
for _ in range(3):
    client.request('GET', '/again')
    print(client.getresponse().read())
client.request('GET', '/chunked')
response = client.getresponse()
print(response.chunked, response.read())
client.request('GET', '/bytes/3000064')
body = client.getresponse().read()
print(len(body), body == bytes(range(256)) * (len(body) // 256))
client.request('POST', '/', b'z' * 2_000_000)
print(client.getresponse().read())
client.close()

base = f'http://127.0.0.1:{port}'
with urllib.request.urlopen(base + '/redirect?/there') as response:
    print(response.status, response.url == base + '/there', response.read())
request = urllib.request.Request(base, data=b'form', method='POST')
print(urllib.request.urlopen(request, timeout=10).read())
