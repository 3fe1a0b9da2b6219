# options: --allow-net 127.0.0.1 --allow-net listen:127.0.0.1 --allow-net udp:127.0.0.1
# The socket module itself: blocking, with time-outs, without blocking, select, selectors, servers, UDP.
import errno
import os
import select
import selectors
import socket

echo = '127.0.0.1', int(os.environ['PORT_ECHO'])
peer = socket.create_connection(echo)
print(peer.getpeername() == echo, peer.getsockname()[0], peer.family.name, peer.type.name)
peer.sendall(b'hello')
print(peer.recv(3, socket.MSG_PEEK), peer.recv(3), peer.recv(3))
peer.sendall(b'0123456789')
print(peer.recv(10, socket.MSG_WAITALL))

peer.settimeout(0.05)
try:
    peer.recv(1)
except TimeoutError as error:
    print('timeout:', error)
peer.setblocking(False)
try:
    peer.recv(1)
except BlockingIOError as error:
    print('would block:', error.errno == errno.EAGAIN)
print(select.select([peer], [peer], [], 0.01) == ([], [peer], []))
peer.send(b'x')
print(select.select([peer], [], [], 10) == ([peer], [], []), peer.recv(10))

with selectors.DefaultSelector() as selector:
    others = [socket.create_connection(echo) for _ in range(5)]
    for number, other in enumerate(others):
        selector.register(other, selectors.EVENT_READ, number)
    print(selector.select(0))
    others[3].send(b'3')
    print([key.data for key, _ in selector.select(10)])
    others[0].send(b'0')
    while len(found := selector.select(10)) < 2:
        pass
    print(sorted(key.data for key, _ in found))
for other in others:
    other.close()

peer.setblocking(True)
with peer.makefile('rwb') as file:
    file.write(b'a line\nanother\n')
    file.flush()
    print(file.readline(), file.readline())
peer.shutdown(socket.SHUT_WR)
print(peer.recv(10))
try:
    peer.send(b'x')
except BrokenPipeError as error:
    print('broken pipe:', error.errno == errno.EPIPE)
peer.close()

connecting = socket.socket()
connecting.setblocking(False)
print(connecting.connect_ex(echo) in (0, errno.EINPROGRESS))
print(select.select([], [connecting], [], 10)[1] == [connecting])
print(connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
connecting.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
print(connecting.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
connecting.close()

server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[0], server.getsockname()[1] > 0)
client = socket.create_connection(server.getsockname())
accepted, address = server.accept()
print(address == client.getsockname())
accepted.sendall(b'from the server')
print(client.recv(100))
accepted.close()
print(client.recv(100))
client.close()
server.close()

datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
there = '127.0.0.1', int(os.environ['PORT_UDP'])
datagrams.sendto(b'a datagram', there)
data, address = datagrams.recvfrom(100)
print(data, address == there)
datagrams.connect(there)
datagrams.send(b'')
print(datagrams.recv(100))
datagrams.send(b'again')
print(datagrams.recv(100))
