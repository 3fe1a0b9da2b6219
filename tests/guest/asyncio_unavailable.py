# What needs signals, pipes or processes says so; what needs a network that is not granted, which grant.
import asyncio

loop = asyncio.get_running_loop()
for name, arguments in [('subprocess_exec', (print, 'ls')), ('subprocess_shell', (print, 'ls')),
                        ('add_signal_handler', (2, print)), ('connect_read_pipe', (print, None)),
                        ('create_unix_connection', (print, '/s'))]:
    try:
        result = getattr(loop, name)(*arguments)
        if asyncio.iscoroutine(result):
            await result
    except NotImplementedError as error:
        print(error)
for name, arguments in [('create_connection', (asyncio.Protocol, '127.0.0.1', 80)),
                        ('create_connection', (asyncio.Protocol, 'localhost', 80)),
                        ('create_server', (asyncio.Protocol, '127.0.0.1', 80)),
                        ('create_datagram_endpoint', (asyncio.DatagramProtocol, ('127.0.0.1', 80))),
                        ('getaddrinfo', ('localhost', 80))]:
    try:
        await getattr(loop, name)(*arguments)
    except PermissionError as error:
        print(name, error)
try:
    await asyncio.open_connection('localhost', 80)
except PermissionError as error:
    print(error)
