# What the sandbox has not fails with an ordinary Python exception that says something.
import asyncio
import concurrent.futures
import importlib
import os
import signal
import socket
import subprocess
import sys
import threading


def attempt(name, function, *kinds):
    try:
        function()
    except kinds or Exception as error:
        text = str(error)
        print(name, 'fails and says why' if text else f'says nothing: {error!r}')
    else:
        print(name, 'returned')


for module in ('lzma', 'mmap', 'fcntl', 'termios', 'pwd', 'resource', 'tkinter', 'curses',
               '_multiprocessing', '_posixsubprocess'):
    attempt('import ' + module, lambda: importlib.import_module(module), ImportError)

attempt('Thread.start', threading.Thread(target=print).start, RuntimeError)
attempt('Timer.start', threading.Timer(0, print).start, RuntimeError)
attempt('ThreadPoolExecutor',
        lambda: concurrent.futures.ThreadPoolExecutor().submit(print).result(), RuntimeError)
attempt('ProcessPoolExecutor',
        lambda: concurrent.futures.ProcessPoolExecutor().submit(print).result())
attempt('subprocess.run', lambda: subprocess.run(['ls']), OSError)
attempt('subprocess shell', lambda: subprocess.check_output('ls', shell=True), OSError)
attempt('subprocess.Popen', lambda: subprocess.Popen(['/bin/sh']), OSError)
attempt('multiprocessing', lambda: __import__('multiprocessing').Process(target=print).start())
for name in ('fork', 'forkpty', 'execv', 'execve', 'system', 'popen', 'spawnl', 'posix_spawn', 'kill',
             'pipe', 'mkfifo', 'mknod', 'chroot', 'setuid', 'getuid', 'openpty', 'sendfile', 'wait'):
    arguments = {'execv': ('/bin/sh', ['sh']), 'execve': ('/bin/sh', ['sh'], {}), 'system': ('ls',),
                 'popen': ('ls',), 'spawnl': (0, '/bin/sh', 'sh'), 'kill': (1, 9), 'chroot': ('/',),
                 'posix_spawn': ('/bin/sh', ['sh'], {}), 'mkfifo': ('/tmp/f',), 'mknod': ('/tmp/n',),
                 'setuid': (0,)}.get(name, ())
    attempt('os.' + name, lambda: getattr(os, name)(*arguments), OSError, AttributeError,
            NotImplementedError)


def connect(family, address):
    with socket.socket(family) as connection:
        connection.connect(address)


attempt('socket.connect', lambda: connect(socket.AF_INET, ('127.0.0.1', 80)), OSError)
attempt('create_connection', lambda: socket.create_connection(('127.0.0.1', 22), 1), OSError)
attempt('getaddrinfo', lambda: socket.getaddrinfo('localhost.invalid', 80), OSError)
attempt('gethostbyname', lambda: socket.gethostbyname('localhost.invalid'), OSError, AttributeError)
attempt('socketpair', lambda: socket.socketpair(), OSError, AttributeError)
attempt('bind', lambda: socket.create_server(('', 8000)), OSError, AttributeError)
attempt('urlopen', lambda: __import__('urllib.request').request.urlopen('http://127.0.0.1/'), OSError)
attempt('http.client', lambda: __import__('http.client').client.HTTPConnection('127.0.0.1').connect(),
        OSError)
attempt('signal.alarm', lambda: signal.alarm(1), AttributeError)
attempt('signal.pause', lambda: signal.pause(), AttributeError)
attempt('signal.setitimer', lambda: signal.setitimer(signal.ITIMER_REAL, 1), AttributeError)


async def in_thread():
    await asyncio.to_thread(print)


async def in_process():
    await asyncio.create_subprocess_exec('ls')


for function in (in_thread, in_process):
    try:
        await function()
    except Exception as error:
        print(function.__name__, 'fails and says why' if str(error) else repr(error))
    else:
        print(function.__name__, 'returned')

print('locks work without threads:', threading.Lock().acquire(), threading.current_thread().name)
print('goes on', file=sys.stderr)
