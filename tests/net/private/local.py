# options: --allow-net *.test --allow-net-local --net-name a.test=192.168.77.1,fd00:9::5 --net-name meta.test=169.254.169.254
# log-only
# log: resolve allowed a.test 192.168.77.1 fd00:9::5
# log: connect allowed a.test 192.168.77.1:{private}
# log: close allowed a.test 192.168.77.1:{private}
# log: connect allowed a.test [[]fd00:9::5]:{private}
# log: close allowed a.test [[]fd00:9::5]:{private}
# log: resolve refused meta.test 169.254.169.254 *
# log: connect refused - 10.9.8.7:{private} *
# With --allow-net-local names may lead to private addresses, but not to metadata; addresses may not.
import os
import socket

port = int(os.environ['PORT_PRIVATE'])
for family, _, _, _, address in socket.getaddrinfo('a.test', port, type=socket.SOCK_STREAM):
    with socket.socket(family) as peer:
        peer.connect(address)
        peer.sendall(b'hello')
        print(family.name, peer.recv(5), peer.getpeername()[0])
for host in 'meta.test', '10.9.8.7':
    try:
        print(host, socket.create_connection((host, port)))
    except PermissionError:
        print(host, 'refused')
