"""Many connections that wait, of one native Python on one thread: what bench_sockets.c does with a sandbox
for each. Prints milliseconds as JSON.

    many_sockets.py COUNT

The peer is a process of its own, as there: it takes all connections, says so when each has sent its byte,
and answers all when it is told to."""
import asyncio
import json
import os
import socket
import sys
import time

count = int(sys.argv[1])


def serve(listener, pipe):
    connections = [listener.accept()[0] for _ in range(count)]
    for connection in connections:
        if connection.recv(1) != b"q":
            os._exit(1)
    pipe.send(b"a")
    if pipe.recv(1) != b"a":
        os._exit(1)
    for connection in connections:
        connection.sendall(b"q")
    pipe.recv(1)  # the end, when the parent is done


def start_peer():
    listener = socket.create_server(("127.0.0.1", 0), backlog=count)
    port = listener.getsockname()[1]
    mine, theirs = socket.socketpair()
    if os.fork() == 0:
        mine.close()
        serve(listener, theirs)
        os._exit(0)
    listener.close()
    theirs.close()
    mine.setblocking(False)
    return port, mine


async def ask(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"q")
    if await reader.read(1) != b"q":
        raise ValueError
    writer.close()


async def main():
    loop = asyncio.get_running_loop()
    port, pipe = start_peer()
    begin = time.perf_counter()
    tasks = [asyncio.create_task(ask(port)) for _ in range(count)]
    if await loop.sock_recv(pipe, 1) != b"a":
        raise SystemExit("the peer is gone")
    waiting = time.perf_counter()
    await loop.sock_sendall(pipe, b"a")
    await asyncio.gather(*tasks)
    end = time.perf_counter()
    pipe.close()
    if os.wait()[1] != 0:
        raise SystemExit("the peer failed")
    print(json.dumps({"connect_ms": (waiting - begin) * 1e3, "answer_ms": (end - waiting) * 1e3}))


asyncio.run(main())
