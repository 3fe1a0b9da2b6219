# options: --secret API_KEY:api.test
# received: GET /plain Bearer {VALUE} *
# received: GET /query?key={VALUE} *
import os, ssl, urllib.error, urllib.request

key = os.environ['API_KEY']
PORT = os.environ['PORT_HTTPS']


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        return answer.read().decode().replace(key, '<placeholder>').strip()


def fails(name, function, *arguments):
    try:
        print(name, function(*arguments))
    except urllib.error.URLError as error:
        print(name, type(error.reason).__name__, getattr(error.reason, 'verify_message', None)
              or error.reason.reason)


print(get(f'https://api.test:{PORT}/plain', Authorization=f'Bearer {key}'))
print(get(f'https://api.test:{PORT}/query?key={key}'))
print(get(f'https://127.0.0.1:{PORT}/address'))
fails('wrong host', get, f'https://bad.test:{PORT}/')
fails('wrong certificate', get, f"https://api.test:{os.environ['PORT_WWW']}/")
fails('expired', get, f"https://api.test:{os.environ['PORT_EXPIRED']}/")
fails('self-signed', get, f"https://api.test:{os.environ['PORT_SELFSIGNED']}/")
fails('TLS 1.1', get, f"https://api.test:{os.environ['PORT_OLD']}/")
fails('not TLS', get, f"https://api.test:{os.environ['PORT_HTTP']}/")
big = urllib.request.urlopen(f'https://api.test:{PORT}/files/megabyte').read()
print(big == bytes(range(256)) * 4096)
