#!/usr/bin/env python3
"""What `eryx serve` makes of clients that are slow, greedy or hostile, byte by byte: tests/cli/test_http.py --eryx PROGRAM"""
import json
import resource
import signal
import socket
import time
import unittest

from server_process import TOKEN, Server
from suite import main

HOST = b"Host: localhost\r\n"
AUTHORIZATION = b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
BODY = b'{"code": "1"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"d\r\n" + BODY + b"\r\n0\r\n\r\n"


def post(*headers, body=b"", path=b"/v1/run", who=HOST + AUTHORIZATION):
    return b"POST " + path + b" HTTP/1.1\r\n" + who + b"".join(headers) + b"\r\n" + body


class Http(unittest.TestCase):
    def start(self, **options):
        server = Server(**options)
        self.addCleanup(server.stop)
        return server

    def wait_for(self, condition):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end, "it does not come to that")
            time.sleep(0.02)

    def connect(self, server):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.addCleanup(connection.close)
        return connection

    def say(self, server, data):
        """All that comes back until the server closes; it must close."""
        connection = self.connect(server)
        connection.sendall(data)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass  # after the answer: it had not read all
        return answer

    def answers(self, data):
        return [int(part.split()[0]) for part in data.split(b"HTTP/1.1 ")[1:]]

    def test_heads_with_two_meanings(self):
        server = self.start()
        hidden = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
        for data in (
                post(LENGTH, b"Transfer-Encoding: chunked\r\n", body=CHUNKED),
                post(b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", body=CHUNKED),
                post(LENGTH, b"Content-Length: 2\r\n", body=BODY),
                post(LENGTH, LENGTH, body=BODY),
                post(b"Transfer-Encoding: xchunked\r\n", body=CHUNKED),
                post(b"Transfer-Encoding: gzip, chunked\r\n", body=CHUNKED),
                post(b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: chunked\r\n", body=CHUNKED),
                post(b"Transfer-Encoding : chunked\r\n", body=CHUNKED),
                post(LENGTH, b"Host: evil.example\r\n", body=BODY),
                post(LENGTH, b"Authorization: Bearer other-token-of-no-use\r\n", body=BODY),
                post(LENGTH, b"X y: z\r\n", body=BODY)):
            answer = self.say(server, data + hidden)
            self.assertEqual(self.answers(answer), [400], (data, answer))
            self.assertIn(b"Connection: close", answer)
            self.assertEqual(json.loads(answer.split(b"\r\n\r\n")[1])["error"]["code"], "request")
        for data in (post(b"Content-Length: -1\r\n"), post(b"Content-Length: 1, 1\r\n"),
                     post(b"Content-Length: 99999999999999999999\r\n"),
                     post(b"Transfer-Encoding: chunked\r\n", body=b"zz\r\n\r\n"), b"nonsense\r\n\r\n",
                     post(b"Transfer-Encoding: chunked\r\n", body=b"f" * 20 + b"\r\n\r\n"),
                     b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n", post(b"X: " + b"a" * 100000 + b"\r\n"),
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bytes(range(256)) * 20):
            self.assertRegex(self.say(server, data + hidden), rb"\A(HTTP/1.1 (4|5)\d\d |\Z)", data)
        self.assertEqual(server.metric('executions_total{outcome="ok"}'), 0)
        # NUL does not end a path.
        self.assertEqual(server.ask("GET", "/healthz%00x")[0], 404)
        self.assertEqual(server.ask("POST", "/v1/sessions/a%00b/reset")[0], 400)
        for path in ("a%00b", "%FF", "a/%ED%A0%80"):
            for method in ("GET", "PUT", "DELETE"):
                status, answer, _ = server.ask(method, "/v1/sessions/s/files/" + path, b"x" if method == "PUT" else None)
                self.assertEqual((status, answer["error"]["code"]), (400, "request"), (method, path))

    def test_bodies_of_strangers(self):
        server = self.start()
        before = server.metric("resident_bytes")
        # Announced: answered at once, nothing of it read.
        for headers in (b"Content-Length: 30000000\r\n", b"Content-Length: 100\r\nExpect: 100-continue\r\n"):
            answer = self.say(server, post(headers, who=HOST))
            self.assertEqual(self.answers(answer), [401], answer)
        # Not announced, or short: read and dropped, so that the answer is seen; up to 1 MiB.
        connection = server.connect()
        for _ in range(2):
            status = server.ask("POST", "/v1/run", b"x" * 500000, connection=connection, Authorization="")[0]
            self.assertEqual(status, 401)
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        connections = [self.connect(server) for _ in range(40)]
        for connection in connections:
            connection.sendall(post(b"Transfer-Encoding: chunked\r\n", who=HOST, body=chunk * 15))
        self.assertLess(server.metric("resident_bytes") - before, 20 << 20)
        with self.assertRaises(OSError):
            while True:
                connections[0].sendall(chunk)
        self.assertEqual(server.ask("POST", "/v1/run", {"code": "1"})[0], 200)

    def test_long_bodies(self):
        server = self.start(config={"limits": {"request": "1M"}})
        self.assertEqual(self.answers(self.say(server, post(b"Content-Length: 30000000\r\n"))), [413])
        self.assertEqual(server.ask("POST", "/v1/run", b"x" * 1500000)[0], 413)
        # All together may have eight times as much as one.
        code = "import asyncio; await asyncio.sleep(100)  # "
        body = json.dumps({"code": code + "x" * 1000000}).encode()
        holders = [self.connect(server) for _ in range(8)]
        for holder in holders:
            holder.sendall(post(b"Content-Length: %d\r\n" % len(body), body=body))
        self.wait_for(lambda: server.metric("jobs") == 8)
        status, answer, _ = server.ask("POST", "/v1/run", {"code": "#" * 500000})
        self.assertEqual((status, answer["error"]["code"]), (429, "overloaded"))
        self.assertEqual(server.ask("POST", "/v1/run", {"code": "1"})[0], 200)
        for holder in holders:
            holder.close()
        self.wait_for(lambda: server.metric("jobs") == 0)
        self.assertEqual(server.ask("POST", "/v1/run", {"code": "#" * 500000})[0], 200)

    def test_answers_that_nobody_reads(self):
        server = self.start(config={"limits": {"request": "1M", "file": "64M", "output": "32M"}})
        length = 48 << 20  # far more than the system's own buffers take
        answer = server.ask("POST", "/v1/sessions/s/execute", {"code": f"open('a', 'wb').write(bytes({length}))"})
        self.assertEqual(answer[1]["outcome"], "ok")
        stream = b'{"code": "for i in range(300): print(\'x\' * 100000)", "stream": true}'
        for request in (b"GET /v1/sessions/s/files/a HTTP/1.1\r\n" + HOST + AUTHORIZATION + b"\r\n",
                        post(b"Content-Length: %d\r\n" % len(stream), body=stream)):
            deaf = self.connect(server)
            deaf.sendall(request)
            deaf.recv(1, socket.MSG_PEEK)
            self.wait_for(lambda: server.ask("POST", "/v1/run", {"code": "1"})[0] == 429)
            self.assertEqual(server.ask("GET", "/v1/sessions/s/files/a")[0], 429)
            for path in "/healthz", "/readyz", "/metrics":
                self.assertEqual(server.ask("GET", path)[0], 200)
            deaf.close()
            self.wait_for(lambda: server.ask("POST", "/v1/run", {"code": "1"})[0] == 200)

    def test_slow_clients(self):
        server = self.start()
        data = post(LENGTH, body=BODY)
        slow = [self.connect(server) for _ in range(300)]
        for count, connection in enumerate(slow):
            connection.sendall(data[:count % len(data)])
        self.assertEqual(server.ask("POST", "/v1/run", {"code": "1"})[0], 200)
        self.assertGreaterEqual(server.metric("connections"), 300)
        for byte in range(len(data)):  # one after the other
            slow[0].sendall(data[byte:byte + 1])
        self.assertIn(b"200 OK", slow[0].recv(4096))
        # One that does not read what it asked for.
        for stream in (b"false", b"true"):
            code = b'{"code": "print(\'x\' * 900000)", "stream": %s}' % stream
            slow[1] = self.connect(server)
            slow[1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow[1].sendall(post(b"Content-Length: %d\r\n" % len(code), body=code))
        self.assertEqual(server.ask("POST", "/v1/run", {"code": "1"})[0], 200)

    def test_no_descriptors_left(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        server = self.start()
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (64, hard))
        many = [self.connect(server) for _ in range(100)]  # most of them in the backlog
        for connection in many:
            connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        for connection in many:
            self.assertIn(b"200 OK", connection.recv(4096))
            connection.close()
        self.assertEqual(server.ask("GET", "/healthz")[0], 200)
        self.assertEqual(server.stop(signal.SIGTERM)[0], 0)

    def test_pages(self):
        page = "https://good.example"
        server = self.start(config={"origins": [page]})
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization",
                "Authorization": ""}
        status, _, headers = server.ask("OPTIONS", "/v1/run", Origin=page, **asks)
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (204, page))
        self.assertIn("Authorization", headers["Access-Control-Allow-Headers"])
        self.assertIn("POST", headers["Access-Control-Allow-Methods"])
        for token, status in ("Bearer " + TOKEN, 200), ("Bearer wrong", 401):
            got, _, headers = server.ask("POST", "/v1/run", {"code": "1"}, Origin=page, Authorization=token)
            self.assertEqual((got, headers["Access-Control-Allow-Origin"], headers["Vary"]), (status, page, "Origin"))
        status, _, headers = server.ask("OPTIONS", "/v1/run", Origin="https://evil.example", **asks)
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (403, None))
        self.assertIsNone(server.ask("GET", "/healthz")[2]["Access-Control-Allow-Origin"])
        self.assertEqual(server.ask("OPTIONS", "/v1/run", Authorization="")[0], 401)

    def test_head(self):
        server = self.start()
        server.ask("PUT", "/v1/sessions/s/files/a", b"four")
        for path, length in ("/healthz", 3), ("/v1/sessions/s/files/a", 4):
            status, body, headers = server.ask("HEAD", path)
            self.assertEqual((status, body, headers["Content-Length"]), (200, b"", str(length)))
        self.assertEqual(server.ask("HEAD", "/v1/run")[0], 405)


if __name__ == "__main__":
    main()
