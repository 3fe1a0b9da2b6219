# options: --secret API_KEY:api.test
# received: GET /basic Basic {BASIC} *
# received: POST /post - key={VALUE}&n=1
# received: POST /post - {?x22key?x22: ?x22{VALUE}?x22}
# received-no: GET /arrived *{VALUE}*
# received-no: GET /wrong *{VALUE}*
import base64, http.client, json, os, socket, ssl, urllib.parse, urllib.request

key = os.environ['API_KEY']
PORT = int(os.environ['PORT_HTTPS'])
PIECES = int(os.environ['PORT_PIECES'])


def show(text):
    basic = base64.b64encode(f'user:{key}'.encode()).decode()
    print(text.strip().replace(key, '<placeholder>').replace(basic, '<basic>'))


def get(host, port, path, headers={}):
    connection = http.client.HTTPSConnection(host, port, timeout=20)
    connection.request('GET', path, headers=headers)
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer


basic = base64.b64encode(f'user:{key}'.encode()).decode()
show(get('api.test', PORT, '/basic', {'Authorization': f'Basic {basic}'}))
for body in urllib.parse.urlencode({'key': key, 'n': 1}), json.dumps({'key': key}):
    connection = http.client.HTTPSConnection('api.test', PORT)
    connection.request('POST', '/post', body)
    show(connection.getresponse().read().decode())

# A redirect to another host takes the header along: it gets the placeholder.
request = urllib.request.Request(f'https://api.test:{PORT}/away',
                                 headers={'Authorization': f'Bearer {key}'})
show(urllib.request.urlopen(request).read().decode())
# As does a host that was never meant.
show(get('www.test', int(os.environ['PORT_WWW']), '/wrong', {'Authorization': key}))

# Compressed answers are not asked for.
request = urllib.request.Request(f'https://api.test:{PORT}/encoding',
                                 headers={'Accept-Encoding': 'gzip, br'})
show(urllib.request.urlopen(request).read().decode())
answer = urllib.request.urlopen(urllib.request.Request(
    f'https://api.test:{PORT}/gzip/kilobyte', headers={'Accept-Encoding': 'gzip'}))
print(answer.headers['Content-Encoding'], len(answer.read()))

# The value comes back in pieces, by chunks and by writes of any size.
header = {'Authorization': f'Bearer {key}'}
for kind in 'chunks', 'writes':
    for size in 1, 2, 3, 5, 7, 16, 100:
        got = get('api.test', PIECES, f'/{kind}/{size}', header)
        wanted = f'you sent Bearer {key}, thanks'
        # Three letters may be shown.
        same = [i for i in range(len(wanted)) if i >= len(got) or got[i] != wanted[i]]
        print(kind, size, len(got) == len(wanted),
              all(len('you sent Bearer ') <= i < len('you sent Bearer ') + 3 for i in same))

# The request goes out in pieces of one byte.
with socket.create_connection(('api.test', PORT)) as raw:
    with ssl.create_default_context().wrap_socket(raw, server_hostname='api.test') as tls:
        for byte in f'GET /bytes HTTP/1.0\r\nAuthorization: Bearer {key}\r\n\r\n'.encode():
            tls.sendall(bytes([byte]))
        data = b''
        while piece := tls.recv(4096):
            data += piece
show(data.decode().partition('\r\n\r\n')[2])
