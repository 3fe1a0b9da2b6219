# What needs sockets or processes says so.
import asyncio

loop = asyncio.get_running_loop()
for name, arguments in [('create_connection', (print, 'localhost', 80)), ('create_server', (print, 'localhost', 80)),
                        ('subprocess_exec', (print, 'ls')), ('subprocess_shell', (print, 'ls')),
                        ('add_reader', (0, print)), ('add_signal_handler', (2, print)),
                        ('connect_read_pipe', (print, None))]:
    try:
        result = getattr(loop, name)(*arguments)
        if asyncio.iscoroutine(result):
            await result
    except NotImplementedError as error:
        print(error)
try:
    await asyncio.open_connection('localhost', 80)
except NotImplementedError as error:
    print(error)
try:
    await loop.getaddrinfo('localhost', 80)
except OSError as error:
    print(type(error).__name__)
