# options: --secret API_KEY:api.test
# The server tells the value in other forms: what is decoded is the placeholder. Then requests that are not
# as a client would write them.
import base64, gzip, http.client, json, os, socket, ssl, sys, urllib.parse

key = os.environ['API_KEY']
PORT = int(os.environ['PORT_PIECES'])
context = ssl.create_default_context()


def show(text):
    return text.replace(key, '<placeholder>')


def form(name):
    connection = http.client.HTTPSConnection('api.test', PORT, timeout=20)
    connection.request('GET', f'/forms/{name}', headers={'Authorization': f'Bearer {key}'})
    data = connection.getresponse().read()
    connection.close()
    return data


print(show(form('utf16').decode('utf-16-le')), show(form('utf16big').decode('utf-16-be')))
print(show(bytes.fromhex(form('hex').decode()).decode()))
for name in 'base64', 'base64-1':
    print(show(base64.b64decode(form(name)).decode()))
print(show(base64.urlsafe_b64decode(form('base64-2')).decode()))
for name in 'percent', 'percent-lower':
    print(show(urllib.parse.unquote(form(name).decode())))
for name in 'escapes', 'escapes-upper':
    print(show(json.loads(f'"{form(name).decode()}"')))
# A limit: the program has the value now. What it writes is scrubbed all the same (the runner looks).
text = gzip.decompress(form('gzip')).decode()
print(text, file=sys.stderr)
print('gzip', len(text) == len(f'Bearer {key}'), key in text)


def talk(*pieces, answers=1, name='api.test'):
    with socket.create_connection((name, PORT)) as raw:
        with context.wrap_socket(raw, server_hostname=name) as tls:
            for piece in pieces:
                tls.sendall(piece.encode())
            for _ in range(answers):
                response = http.client.HTTPResponse(tls)
                response.begin()
                print(show(response.read().decode()).strip().replace(str(PORT), 'PORT'))


# Pipelined, and cut within the second one.
pair = ''.join(f'GET /{kind} HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer {key}\r\n\r\n'
               for kind in ('writes/1000', 'writes/999'))
with socket.create_connection(('api.test', PORT)) as raw:
    with context.wrap_socket(raw, server_hostname='api.test') as tls:
        tls.sendall(pair[:-40].encode())
        tls.sendall(pair[-40:].encode())
        data = b''
        while data.count(b', thanks') < 2:
            data += tls.recv(4096)
        print(data.count(f'you sent Bearer {key}'.encode()))
# As a header's name, in the request line, behind another Host.
talk(f'GET /request/{key} HTTP/1.1\r\n{key}: 1\r\nX: {urllib.parse.quote(key)}\r\n\r\n')
talk(f'GET /request/ HTTP/1.1\r\nHost: elsewhere.example\r\nAuthorization: {key}\r\n\r\n')
