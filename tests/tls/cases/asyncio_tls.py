# options: --secret API_KEY:api.test
# received: GET /async Bearer {VALUE} *
# received: GET /split Bearer {VALUE} *
# received: POST /post - tail E
# received-no: GET /second *{VALUE}*
import asyncio, os, ssl

key = os.environ['API_KEY']
PORT = int(os.environ['PORT_HTTPS'])
context = ssl.create_default_context()


async def exchange(*pieces, host='api.test', port=PORT):
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    for piece in pieces:
        writer.write(piece.encode())
        await asyncio.sleep(0)
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    print(answer.partition('\r\n\r\n')[2].strip().replace(key, '<placeholder>'))


async def main():
    reader, writer = await asyncio.open_connection('api.test', PORT, ssl=context)
    print(writer.get_extra_info('cipher')[1] in ('TLSv1.2', 'TLSv1.3'),
          writer.get_extra_info('peercert')['subjectAltName'])
    writer.close()
    await exchange(f'GET /async HTTP/1.0\r\nAuthorization: Bearer {key}\r\n\r\n')
    await exchange(*f'GET /split HTTP/1.0\r\nAuthorization: Bearer {key}\r\n\r\n')
    # What ends like a placeholder begins is not held for ever.
    await exchange('POST /post HTTP/1.0\r\nContent-Length: 6\r\n\r\n', 'tail ', 'E')
    await exchange(f'GET /second HTTP/1.0\r\nAuthorization: {key}\r\n\r\n', host='www.test',
                   port=int(os.environ['PORT_WWW']))
    try:
        await asyncio.open_connection('bad.test', PORT, ssl=context)
    except ssl.SSLCertVerificationError as error:
        print(error.verify_message)
    # STARTTLS: TLS on a connection that was plain.
    reader, writer = await asyncio.open_connection('127.0.0.1', PORT)
    await writer.start_tls(context, server_hostname='api.test')
    writer.write(b'GET /start_tls HTTP/1.0\r\n\r\n')
    print((await reader.read()).decode().partition('\r\n\r\n')[2].strip())
    many = await asyncio.gather(*[asyncio.open_connection('api.test', PORT, ssl=context)
                                  for _ in range(20)])
    for reader, writer in many:
        writer.write(b'GET /many HTTP/1.0\r\n\r\n')
    print({(await reader.read())[-16:] for reader, writer in many})


asyncio.run(main())
