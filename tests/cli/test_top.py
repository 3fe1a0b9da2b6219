#!/usr/bin/env python3
"""`eryx top` beside a running server: tests/cli/test_top.py --eryx PROGRAM [TEST ...]"""
import http.server
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from server_process import TOKEN, Server
from suite import eryx, main
from terminal import Terminal


class Top(unittest.TestCase):
    def start(self, *arguments):
        server = Server(*arguments)
        self.addCleanup(server.stop)
        self.url = f"http://127.0.0.1:{server.port}"
        return server

    def top(self, *arguments, url=None, token=TOKEN):
        environment = {**os.environ, "ERYX_TOKEN": token}
        return subprocess.run([eryx(), "top", *arguments, url or self.url], capture_output=True, text=True,
                              env=environment, stdin=subprocess.DEVNULL)

    def begin(self, server, code, session=None):
        """Runs code in the background, to the end of the test."""
        path = f"/v1/sessions/{session}/execute" if session else "/v1/run"
        connection = server.connect()
        self.addCleanup(connection.close)
        connection.request("POST", path, json.dumps({"code": code}),
                           {"Authorization": "Bearer " + TOKEN})

    def rows(self, server, condition):
        """What the server says once condition(rows by name) holds."""
        end = time.monotonic() + 30
        while True:
            status, body, _ = server.ask("GET", "/v1/top")
            self.assertEqual(status, 200, body)
            rows = {row["session"]: row for row in body["sandboxes"]}
            if condition(rows):
                return rows, body
            self.assertLess(time.monotonic(), end, body)
            time.sleep(0.02)

    def test_states(self):
        server = self.start()
        server.ask("POST", "/v1/sessions/large/execute",
                   {"code": "x = bytearray(20_000_000)\nfor i in range(0, len(x), 4096): x[i] = 1"})
        self.begin(server, "import asyncio; await asyncio.sleep(100)", "sleeper")
        self.begin(server, "while True: pass")
        rows, body = self.rows(server, lambda rows: set(rows) == {"large", "sleeper", None} and
                               rows["sleeper"]["state"] == "waiting" and rows[None]["cpu_seconds"] > 0.05)
        self.assertEqual((rows["large"]["state"], rows["large"]["waits"]), ("idle", None))
        self.assertGreater(rows["large"]["memory_bytes"], 20_000_000)
        self.assertLess(rows["large"]["memory_bytes"], 60_000_000)
        self.assertGreater(rows["large"]["cpu_seconds"], 0)
        self.assertEqual(rows["sleeper"]["waits"], {"for": "timer", "callback": "", "count": 0})
        self.assertGreater(rows["sleeper"]["memory_bytes"], 100_000)
        self.assertLess(rows["sleeper"]["cpu_seconds"], rows[None]["cpu_seconds"])
        self.assertEqual((rows[None]["state"], rows[None]["jobs"]), ("running", 1))
        self.assertGreater(rows[None]["run_seconds"], 0.05)
        self.assertEqual(body["server"]["left_out"], 0)
        self.assertEqual([row["state"] for row in body["sandboxes"]][-1], "idle")

    def test_follows_the_description(self):
        server = self.start()
        server.ask("POST", "/v1/sessions/a/execute", {"code": "1"})
        _, body, _ = server.ask("GET", "/v1/top")
        _, description, _ = server.ask("GET", "/openapi.json")
        schema = description["components"]["schemas"]["Top"]["properties"]
        self.assertEqual(set(body["server"]), set(schema["server"]["properties"]))
        self.assertEqual(set(body["sandboxes"][0]), set(schema["sandboxes"]["items"]["required"]))
        self.assertIn("/v1/top", description["paths"])
        self.assertEqual(server.ask("POST", "/v1/top", {})[0], 405)
        self.assertEqual(server.ask("GET", "/v1/top", Authorization="Bearer wrong-wrong-wrong-w")[0], 401)

    def test_once(self):
        server = self.start()
        for name in ("bbb", "aaa"):
            server.ask("POST", f"/v1/sessions/{name}/execute", {"code": "x = 1"})
        done = self.top("--once", "--sort", "name")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        head, titles, *rows = done.stdout.splitlines()
        self.assertRegex(head, r"^eryx serve \S+  up .*  jobs 0  sessions 2  by name$")
        self.assertEqual([row.split()[:2] for row in rows], [["aaa", "idle"], ["bbb", "idle"]])
        self.assertRegex(rows[0], r" \d+(\.\d)?[KM] ")
        self.assertEqual(self.top().stdout.count("idle"), 2)  # no terminal: once
        answer = json.loads(self.top("--json").stdout)
        self.assertEqual(sorted(row["session"] for row in answer["sandboxes"]), ["aaa", "bbb"])

    def test_terminal(self):
        server = self.start()
        self.begin(server, "import time; time.sleep(100)", "sleeper")
        self.rows(server, lambda rows: rows.get("sleeper", {}).get("state") == "waiting")
        with tempfile.TemporaryDirectory() as folder:
            terminal = Terminal([eryx(), "top", "--interval", "100ms", self.url], folder, ERYX_TOKEN=TOKEN)
            terminal.expect(r"SESSION +STATE.*sleeper +waiting.*timer.*q quit")
            self.begin(server, "while True: pass", "busy")
            terminal.expect(r"by cpu\n[^\n]*\nbusy +running +[1-9]\d*\.\d")
            terminal.type("n")
            terminal.expect(r"by name\n[^\n]*\nbusy[^\n]*\nsleeper")
            terminal.resize(5, 30)
            terminal.expect(r"\nSESSION              STATE    \nbusy")
            terminal.resize(24, 100)
            terminal.expect(r"MEMORY")
            server.stop(signal.SIGKILL)
            terminal.expect(r"Failed to connect|Couldn't connect|[Cc]onnection|Recv failure")
            terminal.type("q")
            self.assertEqual(terminal.end(), 0)

    def test_terminal_is_put_back(self):
        self.start()
        with tempfile.TemporaryDirectory() as folder:
            terminal = Terminal(["sh", "-c", f"trap : INT; {eryx()} top {self.url}; echo code $?; stty -a"],
                                folder, ERYX_TOKEN=TOKEN)
            terminal.expect(r"q quit")
            terminal.type("\x03")
            terminal.expect(r"code 0.* icanon.* echo ")
            terminal.end()

    def test_errors(self):
        self.start()
        done = self.top("--once", token="another-token-of-16")
        self.assertEqual((done.returncode, done.stdout), (125, ""))
        self.assertEqual(done.stderr, f"eryx: cannot ask {self.url}: the token is missing or wrong "
                                      "(--token-file, ERYX_TOKEN)\n")
        done = self.top("--once", url="http://127.0.0.1:1")
        self.assertEqual(done.returncode, 125)
        self.assertIn("eryx: cannot ask http://127.0.0.1:1: ", done.stderr)
        for arguments, text in ((["--sort", "size"], "--sort size: cpu, memory, name, age or state"),
                                (["--interval", "1ms"], "--interval 1ms: a time from 100ms to 1h is needed"),
                                (["ftp://x"], "ftp://x: a URL is needed, such as http://127.0.0.1:8080")):
            done = subprocess.run([eryx(), "top", *arguments], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr, f"eryx top: {text}\nTry 'eryx help top'.\n")

    def serve_bytes(self, data, status=200):
        """A server that is not ours."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                try:
                    self.wfile.write(data)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        peer = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=peer.serve_forever, daemon=True).start()
        self.addCleanup(peer.server_close)
        self.addCleanup(peer.shutdown)
        return f"http://127.0.0.1:{peer.server_port}"

    def test_hostile_server(self):
        evil = "\x1b]0;owned\x07\n\r\x1b[2J\u202e\u00e9" + "x" * 5000
        row = {"session": evil, "state": evil, "waits": {"for": evil, "callback": evil, "count": 1 << 60},
               "cpu_seconds": 1e308, "memory_bytes": -5, "age_seconds": "x", "jobs": 1 << 60}
        answer = {"server": {"version": evil, "workers": 1e300, "uptime_seconds": -1},
                  "sandboxes": [row, 5, None, {}, []]}
        done = self.top("--once", url=self.serve_bytes(json.dumps(answer).encode()))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([c for c in done.stdout if not " " <= c <= "~" and c != "\n"], [])
        self.assertEqual(len(done.stdout.splitlines()), 2 + 5)
        for data, status, text in (
                (b"{}", 200, "what answers there is not eryx serve"), (b"[", 200, "not eryx serve"),
                (b"", 302, "it answers with status 302"), (b" " * (17 << 20), 200, "longer than 16 MiB")):
            done = self.top("--once", url=self.serve_bytes(data, status))
            self.assertEqual((done.returncode, done.stdout), (125, ""))
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    main()
