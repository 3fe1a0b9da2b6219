# options: --allow-net 127.0.0.1 --allow-net listen:127.0.0.1 --allow-net udp:127.0.0.1
# options: --allow-net echo.test --net-name echo.test=127.0.0.1 --allow-net gone.test --net-name gone.test=10.0.0.1
# log: resolve allowed echo.test 127.0.0.1
# log: resolve refused gone.test 10.0.0.1 gone.test resolves to 10.0.0.1, which is a private address*
# asyncio: streams, servers, raw sockets, datagrams, names; many at once; time-outs and cancelling.
import asyncio
import os
import socket

port = int(os.environ['PORT_ECHO'])


async def exchange(text, host='127.0.0.1'):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(text)
    await writer.drain()
    writer.write_eof()
    data = await reader.read()
    writer.close()
    await writer.wait_closed()
    return data


print(await exchange(b'hello'))
print(await exchange(b'by name', 'echo.test'))
results = await asyncio.gather(*[exchange(b'%d' % i * 1000) for i in range(40)])
print([len(result) for result in results] == [len(b'%d' % i) * 1000 for i in range(40)])
print(len(await exchange(bytes(3_000_000))))
try:
    await asyncio.open_connection('gone.test', port)
except OSError as error:
    print(type(error).__name__, error)

loop = asyncio.get_running_loop()
print(await loop.getaddrinfo('echo.test', 80, type=socket.SOCK_STREAM))
print(await loop.getaddrinfo('127.0.0.1', '80', type=socket.SOCK_STREAM))

raw = socket.socket()
raw.setblocking(False)
await loop.sock_connect(raw, ('127.0.0.1', port))
await loop.sock_sendall(raw, b'raw')
print(await loop.sock_recv(raw, 100))
raw.close()


async def shout(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async with await asyncio.start_server(shout, '127.0.0.1', 0) as server:
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.writelines([b'one\n', b'two\n'])
    print(await reader.readline(), await reader.readline())
    writer.close()


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self):
        self.answer = loop.create_future()

    def datagram_received(self, data, address):
        self.answer.set_result(data)


transport, protocol = await loop.create_datagram_endpoint(
    Datagrams, remote_addr=('127.0.0.1', int(os.environ['PORT_UDP'])))
transport.sendto(b'datagram')
print(await protocol.answer)
transport.close()

stall = int(os.environ['PORT_STALL'])
try:
    async with asyncio.timeout(0.05):
        reader, writer = await asyncio.open_connection('127.0.0.1', stall)
        await reader.read()
except TimeoutError:
    print('time is up')
task = asyncio.create_task(reader.read())
await asyncio.sleep(0.01)
task.cancel()
print(await asyncio.gather(task, return_exceptions=True))
ticks = 0


async def tick():
    global ticks
    while True:
        await asyncio.sleep(0.001)
        ticks += 1


ticking = asyncio.create_task(tick())
print(len(await exchange(bytes(1_000_000))), ticks > 0)
ticking.cancel()
