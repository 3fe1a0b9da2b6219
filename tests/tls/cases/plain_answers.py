# options: --secret API_KEY:api.test
# A server that has the value by other ways and tells it: to any request, and to one that begins as TLS does.
import asyncio, os, socket

key = os.environ['API_KEY']
address = '127.0.0.1', int(os.environ['PORT_TELLER'])
for request in b'GET / HTTP/1.0\r\n\r\n', b'\x16\x03\x01', b'\x16':
    for size in 4096, 5:
        with socket.create_connection(address) as peer:
            peer.sendall(request)
            answer = b''
            while piece := peer.recv(size):
                answer += piece
        print(answer.decode().strip().replace(key, '<placeholder>'))


async def main():
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b'\x16')
    print((await reader.read()).decode().strip().replace(key, '<placeholder>'))
    writer.close()


asyncio.run(main())
