# options: --allow-net * --allow-net 10.0.0.0/8 --allow-net 169.254.0.0/16 --deny-net 10.9.8.8
# options: --net-name private.test=192.168.77.1 --net-name ten.test=10.9.8.7 --net-name meta.test=169.254.169.254
# log-only
# log: connect allowed - 10.9.8.7:{private}
# log: close allowed - 10.9.8.7:{private}
# log: connect allowed - 169.254.9.9:{private}
# log: close allowed - 169.254.9.9:{private}
# log: connect refused - 192.168.77.1:{private} *
# log: connect refused - 169.254.169.254:{private} *
# log: connect refused - [[]fd00:9::5]:{private} *
# log: connect refused - 127.0.0.1:{private} *
# log: connect refused - 10.9.8.8:{private} 10.9.8.8:{private} is denied*
# log: resolve refused private.test 192.168.77.1 *
# log: resolve allowed ten.test 10.9.8.7
# log: connect allowed ten.test 10.9.8.7:{private}
# log: close allowed ten.test 10.9.8.7:{private}
# log: resolve refused meta.test 169.254.169.254 *
# Private addresses at which someone does answer: `*` and names do not grant them, ranges do.
import os
import socket

port = int(os.environ['PORT_PRIVATE'])


def talk(host):
    with socket.create_connection((host, port), 10) as peer:
        peer.sendall(b'hello')
        return peer.recv(5)


for host in ('10.9.8.7', '169.254.9.9', '192.168.77.1', '169.254.169.254', 'fd00:9::5', '127.0.0.1',
             '10.9.8.8', 'private.test', 'ten.test', 'meta.test'):
    try:
        print(host, talk(host))
    except PermissionError:
        print(host, 'refused')
