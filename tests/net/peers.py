"""Peers for programs in the sandbox, all on 127.0.0.1: an HTTP/1.1 server (keep-alive, chunked,
redirects), servers that misbehave, an SMTP sink, an FTP server, a UDP echo.

Each is a thread that ends with the process. `start()` gives {name: port}."""
import http.server
import os
import socket
import socketserver
import struct
import threading

LOCAL = "127.0.0.1"


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def reply(self, body, status=200, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in b"one ", b"two ", b"three":
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        elif self.path.startswith("/redirect?"):
            self.reply(b"", 302, Location=self.path.partition("?")[2])
        elif self.path.startswith("/bytes/"):
            self.reply(bytes(range(256)) * (int(self.path[7:]) // 256))
        else:
            self.reply(b"%s %d" % (self.path.encode(), self.connection_number()))

    def connection_number(self):
        """Which request of its connection this is: tells that it was kept alive."""
        self.count = getattr(self, "count", 0) + 1
        return self.count

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        total = 0
        while total < length:
            total += len(self.rfile.read(min(65536, length - total)))
        self.reply(b"%d bytes" % total)


def stall(connection):
    """Takes everything and says nothing."""
    while connection.recv(65536):
        pass


def reset(connection):
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def garbage(connection):
    connection.recv(1)
    connection.sendall(bytes(range(255, -1, -1)) * 16)


def flood(connection):
    try:
        while True:
            connection.sendall(b"x" * 65536)
    except OSError:
        pass


def half(connection):
    """Sends a part of what it promises."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def smtp(connection):
    """Takes mail; DATA is answered with the number of lines."""
    file = connection.makefile("rwb")

    def say(text):
        file.write(text.encode() + b"\r\n")
        file.flush()

    say("220 sink ESMTP")
    while line := file.readline():
        command = line.split()[0].upper() if line.split() else b""
        if command == b"EHLO":
            say("250-sink\r\n250 8BITMIME")
        elif command == b"DATA":
            say("354 go on")
            lines = 0
            while file.readline() not in (b".\r\n", b""):
                lines += 1
            say(f"250 took {lines} lines")
        elif command == b"QUIT":
            say("221 bye")
            return
        else:
            say("250 ok")


def ftp(connection):
    """Passive mode only; one file."""
    content = b"an FTP file\n" * 1000
    file = connection.makefile("rwb")
    data = None

    def say(text):
        file.write(text.encode() + b"\r\n")
        file.flush()

    say("220 files")
    while line := file.readline():
        command = line.split()[0].upper()
        if command == b"USER":
            say("331 password")
        elif command in (b"PASV", b"EPSV"):
            data = socket.create_server((LOCAL, 0))
            port = data.getsockname()[1]
            if command == b"EPSV":
                say(f"229 (|||{port}|)")
            else:
                say(f"227 (127,0,0,1,{port >> 8},{port & 255})")
        elif command == b"RETR":
            say("150 here it comes")
            other, _ = data.accept()
            other.sendall(content)
            other.close()
            data.close()
            say("226 done")
        elif command == b"QUIT":
            say("221 bye")
            return
        else:
            say("230 ok" if command == b"PASS" else "200 ok")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, serve):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    serve(self.request)
                except OSError:
                    pass

        super().__init__((LOCAL, 0), Handler)


class HttpServer(http.server.ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, *_):
        pass


def udp_echo():
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind((LOCAL, 0))

    def run():
        while True:
            data, address = peer.recvfrom(65536)
            peer.sendto(data.upper(), address)

    threading.Thread(target=run, daemon=True).start()
    return peer.getsockname()[1]


def refused():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return probe.getsockname()[1]


def private(addresses):
    """Echo servers at addresses that the network namespace has, all with one port."""
    port = 0
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family)
        port = listener.getsockname()[1]

        def run(listener=listener):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=echo, args=(connection,), daemon=True).start()

        threading.Thread(target=run, daemon=True).start()
    return port


def start(addresses=()):
    ports = {"udp": udp_echo(), "refused": refused(), "private": private(addresses)}
    servers = {"http": HttpServer((LOCAL, 0), Http)}
    for serve in stall, reset, garbage, flood, half, echo, smtp, ftp:
        servers[serve.__name__] = Server(serve)
    for name, server in servers.items():
        ports[name] = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    return ports


if __name__ == "__main__":
    for name, port in start().items():
        print(name, port, flush=True)
    os.read(0, 1)  # until whoever started us is gone
