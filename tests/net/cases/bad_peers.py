# options: --allow-net 127.0.0.1
# log: connect allowed - 127.0.0.1:{refused}
# log: close allowed - 127.0.0.1:{refused} Connection refused
# log: close allowed - 127.0.0.1:{reset} Connection reset by peer
# Peers that refuse, stall, reset, promise too much, talk nonsense or never stop.
import http.client
import os
import socket
import urllib.request


def port(name):
    return int(os.environ['PORT_' + name.upper()])


def attempt(name, function):
    try:
        print(name, function())
    except Exception as error:
        print(name, type(error).__mro__[:-2][-2 if isinstance(error, OSError) else 0].__name__,
              type(error).__name__)


def connection(name, timeout=10):
    return socket.create_connection(('127.0.0.1', port(name)), timeout)


def get(name, timeout=10):
    client = http.client.HTTPConnection('127.0.0.1', port(name), timeout=timeout)
    client.request('GET', '/')
    return client.getresponse().read()


def reset():
    peer = connection('reset')
    peer.sendall(b'x')
    return peer.recv(1)


def flood():
    peer = connection('flood')
    total = 0
    while total < 4_000_000:
        total += len(peer.recv(65536))
    peer.close()
    return total >= 4_000_000


def stalled_send():
    """More than the buffers hold: the peer reads, so it all goes."""
    peer = connection('stall')
    peer.sendall(bytes(5_000_000))
    return 'sent'


attempt('refused', lambda: connection('refused'))
attempt('stall', lambda: get('stall', 0.1))
attempt('reset', reset)
attempt('half', lambda: get('half'))
attempt('garbage', lambda: get('garbage'))
attempt('flood', flood)
attempt('sending', stalled_send)
attempt('urllib stall', lambda: urllib.request.urlopen(f'http://127.0.0.1:{port("stall")}', timeout=0.1))
