# options: --allow-net 127.0.0.1:{http} --allow-net *.good.test --allow-net rebind.test --allow-net cname.test
# options: --net-name rebind.test=127.0.0.2 --net-name cname.test=169.254.169.254,10.0.0.1
# options: --net-name www.good.test=127.0.0.3
# log-only
# log: resolve refused 2130706433 - the host '2130706433' is refused: it is an ambiguous form of an IPv4 address*
# log: resolve refused 0x7f000001 - *ambiguous*
# log: resolve refused 0177.0.0.1 - *ambiguous*
# log: resolve refused 127.1 - *ambiguous*
# log: resolve refused 127.0.0.1. - *ambiguous*
# log: resolve refused ::ffff:127.0.0.1 - *an IPv4 address inside of IPv6*
# log: resolve refused fe80::1%1 - *zone id*
# log: connect refused - 127.0.0.1:1 no permission*
# log: connect refused - 127.0.0.2:{http} no permission for connecting to 127.0.0.2:{http}, a loopback address*
# log: connect refused - 0.0.0.0:{http} *never permitted*
# log: connect refused - [[]::1]:{http} *a loopback address*
# log: connect refused - [[]::ffff:127.0.0.1]:{http} *never permitted*
# log: connect refused - [[]::]:{http} *never permitted*
# log: connect refused - [[]64:ff9b::7f00:1]:{http} *never permitted*
# log: connect refused - [[]::127.0.0.1]:{http} *never permitted*
# log: connect refused - [[]::ffff:0:7f00:1]:{http} *never permitted*
# log: connect refused - [[]64:ff9b:1::7f00:1]:{http} *never permitted*
# log: connect refused - [[]2002:7f00:1::1]:{http} *never permitted*
# log: connect refused - [[]2001:0:7f00:1::]:{http} *never permitted*
# log: connect refused - [[]fd00:ec2::254]:{http} *a cloud's metadata address*
# log: connect refused - 169.254.169.254:80 *a cloud's metadata address*
# log: connect refused - 169.254.169.254:80 *a cloud's metadata address*
# log: connect refused - 10.0.0.1:80 *a private address*
# log: connect refused - 192.168.1.1:80 *a private address*
# log: connect refused - 224.0.0.1:80 *a multicast address*
# log: connect refused - 255.255.255.255:80 *a broadcast address*
# log: connect refused - 8.8.8.8:53 *
# log: connect refused - 127.0.0.1:3128 *
# log: connect refused - 127.0.0.1:3128 *
# log: connect refused - 127.0.0.9:{http} *
# log: resolve refused rebind.test 127.0.0.2 rebind.test resolves to 127.0.0.2, which is a loopback address*
# log: resolve refused cname.test 169.254.169.254 10.0.0.1 *
# log: resolve refused www.good.test 127.0.0.3 *
# log: resolve refused good.test - *
# log: resolve refused evil-good.test - *
# log: resolve refused www.good.test.evil.test - *
# log: resolve refused user@www.good.test - *
# log: resolve refused evil.test - *
# log: resolve refused www.good.test@evil.test - *
# log: resolve refused www.good.test 127.0.0.3 *
# log: resolve refused localhost - *
# log: resolve refused www.good.test#.evil.test - *
# log: resolve refused www.good.test?x5c.evil.test - *
# log: resolve refused www.good.test/ - *
# log: resolve refused www.good.test.evil.test - *
# log: listen refused - 127.0.0.1:0 *
# log: listen refused - 0.0.0.0:8080 *
# log: datagram refused - - no permission for UDP*
# log: connect allowed - 127.0.0.1:{http}
# log: close allowed - 127.0.0.1:{http}
# log: connect allowed - 127.0.0.1:{http}
# log: close allowed - 127.0.0.1:{http}
# log: connect allowed - 127.0.0.1:{http}
# log: close allowed - 127.0.0.1:{http}
# log: connect allowed - 127.0.0.1:{http}
# log: close allowed - 127.0.0.1:{http}
# Ways around the rules: each is refused with PermissionError, and reported.
import os
import _socket
import socket
import urllib.request

port = int(os.environ['PORT_HTTP'])


def attempt(name, function, *arguments):
    try:
        print(name, 'WORKED', function(*arguments))
    except PermissionError as error:
        print(name, 'refused' if 'permi' in str(error) or '--allow-net' in str(error)
              or 'refused' in str(error) else f'says nothing of permissions: {error}')
    except Exception as error:
        reason = getattr(error, 'reason', None)
        print(name, 'refused' if isinstance(reason, PermissionError) else f'{error!r}')


def connect(host, to=port):
    return socket.create_connection((host, to), 1)


def raw(address, family=_socket.AF_INET):
    return _socket.socket(family, _socket.SOCK_STREAM).connect(address)


# Forms of 127.0.0.1, which is granted, but not written so.
for host in '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '127.0.0.1.', '::ffff:127.0.0.1', 'fe80::1%1':
    attempt(f'getaddrinfo {host}', socket.getaddrinfo, host, port)
attempt('other port', connect, '127.0.0.1', 1)
attempt('other loopback', connect, '127.0.0.2')
attempt('0.0.0.0', raw, ('0.0.0.0', port))
for host in ('::1', '::ffff:127.0.0.1', '::', '64:ff9b::7f00:1', '::127.0.0.1', '::ffff:0:7f00:1',
             '64:ff9b:1::7f00:1', '2002:7f00:1::1', '2001:0:7f00:1::', 'fd00:ec2::254'):
    packed = socket.inet_pton(socket.AF_INET6, host)
    attempt(f'raw {host}', raw, (socket.inet_ntop(socket.AF_INET6, packed), port), _socket.AF_INET6)
for host in '169.254.169.254', '10.0.0.1', '192.168.1.1', '224.0.0.1', '255.255.255.255':
    attempt(host, raw, (host, 80))
attempt('public', raw, ('8.8.8.8', 53))

# Names.
for host in ('rebind.test', 'cname.test', 'www.good.test', 'good.test', 'evil-good.test',
             'www.good.test.evil.test', 'user@www.good.test', 'localhost', 'www.good.test#.evil.test',
             'www.good.test\\.evil.test', 'www.good.test/', 'www.good.test\u2024evil.test'):
    attempt(host, connect, host)
attempt('nul', socket.getaddrinfo, 'www.good.test\0.evil.test', 80)

# What leads a client elsewhere: redirects, user information, proxies of the environment.
base = f'http://127.0.0.1:{port}'
for target in 'http://169.254.169.254/latest', 'http://evil.test/', f'http://127.0.0.9:{port}/':
    attempt('redirect', urllib.request.urlopen, f'{base}/redirect?{target}')
attempt('userinfo', urllib.request.urlopen, 'http://www.good.test@evil.test/')
os.environ['http_proxy'] = os.environ['HTTP_PROXY'] = 'http://127.0.0.1:3128'
urllib.request.install_opener(None)  # the next one looks at the environment
attempt('proxy', urllib.request.urlopen, base)
urllib.request.install_opener(None)
del os.environ['http_proxy'], os.environ['HTTP_PROXY']
attempt('proxy handler', urllib.request.build_opener(
    urllib.request.ProxyHandler({'http': 'http://127.0.0.1:3128'})).open, base)
print(urllib.request.urlopen(base + '/fine').read())

# Servers and datagrams.
attempt('server', socket.create_server, ('127.0.0.1', 0))
attempt('server everywhere', lambda: _socket.socket().bind(('0.0.0.0', 8080)))
attempt('udp', lambda: _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM))
