#!/usr/bin/env python3
"""`eryx serve` over plain HTTP: tests/cli/test_serve.py --eryx PROGRAM [TEST ...]"""
import concurrent.futures
import json
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import described
from server_process import TOKEN, Server, events
from suite import eryx, main


class Serve(unittest.TestCase):
    def start(self, *arguments, **options):
        server = Server(*arguments, **options)
        self.addCleanup(server.stop)
        return server

    def run_code(self, server, code, session=None, **members):
        path = f"/v1/sessions/{session}/execute" if session else "/v1/run"
        status, body, _ = server.ask("POST", path, {"code": code, **members})
        self.assertEqual(status, 200, body)
        return body

    def wait_for(self, condition):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end, "it does not come to that")
            time.sleep(0.02)

    def test_run(self):
        server = self.start()
        body = self.run_code(server, "print('häl\U0001f600lo')\n{'a': [1]}", result="")
        self.assertEqual((body["outcome"], body["stdout"], body["result"], body["exit_code"]),
                         ("ok", "häl\U0001f600lo\n", {"a": [1]}, 0))
        body = self.run_code(server, "1 / 0")
        self.assertEqual((body["outcome"], body["exception"]["type"]),
                         ("exception", "ZeroDivisionError"))
        self.assertEqual(self.run_code(server, "3 * 4", display=True)["stdout"], "12\n")
        self.assertEqual(self.run_code(server, "raise SystemExit(4)")["exit_code"], 4)
        body = self.run_code(server, "while True: pass", timeout=0.2)
        self.assertEqual(body["outcome"], "timeout")
        body = self.run_code(server, "import sys; sys.stdout.buffer.write(b'a\\xffb')")
        self.assertEqual(body["stdout"], "a\ufffdb")

    def test_results(self):
        server = self.start()
        for code, result in (("'a\\0b'", "a\0b"), ("2**63 - 1", 2 ** 63 - 1), ("[]", []), ("None", None)):
            body = self.run_code(server, code, result="")
            self.assertEqual((body.get("result", "none"), body.get("result_error")), (result, None), code)
        for code, told in (("2**63", "too big integer"), ("{'\\0': 1}", "NUL byte in object key"),
                           ("{1, 2}", "type set"), ("missing = 1", "does not end with an expression")):
            body = self.run_code(server, code, result="")
            self.assertNotIn("result", body)
            self.assertIn(told, body["result_error"])

    def test_limits(self):
        server = self.start(config={"limits": {"timeout": "200ms", "memory": "128M"}})
        body = self.run_code(server, "import time; time.sleep(20)")
        self.assertEqual((body["outcome"], body["limit"]["name"]), ("limit", "wall time"))
        body = self.run_code(server, "x = bytes(200 << 20)")
        self.assertEqual(body["exception"]["type"], "MemoryError")

    def test_bad_requests(self):
        server = self.start(config={"limits": {"request": "4K"}})
        for body in ("", "[]", "{", "{}", '{"code": 1}', '{"code": "1", "timeout": 0}',
                     '{"code": "1", "cod": 2}', '{"code": "1", "result": "a\\u0000b"}'):
            status, answer, _ = server.ask("POST", "/v1/run", body)
            self.assertEqual((status, answer["error"]["code"]), (400, "request"), body)
        for method, path, status in (
                ("GET", "/v1/run", 405), ("PUT", "/v1/sessions", 405), ("GET", "/nowhere", 404),
                ("POST", "/v1/sessions/a/nothing", 404), ("GET", "/v1/sessions/a/execute", 405),
                ("GET", "/v1/sessions/", 400), ("DELETE", "/v1/sessions/" + "a" * 65, 400),
                ("POST", "/v1/sessions/a%20b/reset", 400), ("GET", "/v1/sessions/none", 404),
                ("DELETE", "/v1/sessions/none", 404), ("PUT", "/v1/sessions/a/files/", 405),
                ("GET", "/v1/sessions/none/files/x", 404), ("POST", "/v1/sessions/a/fork", 400)):
            self.assertEqual(server.ask(method, path)[0], status, (method, path))
        status, answer, _ = server.ask("POST", "/v1/run", {"code": "x" * 5000})
        self.assertEqual((status, answer["error"]["code"]), (413, "too_long"))
        self.assertEqual(self.run_code(server, "1")["outcome"], "ok")

    def test_who_may_ask(self):
        server = self.start(config={"origins": ["https://good.example"]})
        for headers, status in (
                ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": TOKEN}, 401),
                ({"Authorization": ""}, 401), ({"Authorization": "Bearer " + TOKEN + "x"}, 401),
                ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
                ({"Origin": "https://good.example"}, 200), ({"Origin": "http://localhost:3000"}, 200),
                ({"Host": "evil.example"}, 403), ({"Host": "localhost:1"}, 200)):
            self.assertEqual(server.ask("POST", "/v1/run", {"code": "1"}, **headers)[0], status, headers)
        for path in ("/metrics", "/openapi.json", "/mcp", "/v1/sessions"):
            self.assertEqual(server.ask("GET", path, Authorization="")[0], 401, path)
        for path in ("/healthz", "/readyz"):
            self.assertEqual(server.ask("GET", path, Authorization="")[:2], (200, b"ok\n"))

    def test_tokens(self):
        server = self.start(token=None)
        token = server.said.split("it is ")[1].split()[0]
        self.assertEqual(len(token), 64)
        self.assertEqual(server.ask("POST", "/v1/run", {"code": "1"}, Authorization="Bearer " + token)[0],
                         200)
        server = self.start("--no-token", token=None)
        self.assertEqual(server.ask("POST", "/v1/run", {"code": "1"}, Authorization="")[0], 200)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("short\n")
            file.flush()
            for arguments, told in ((["--token-file", file.name], "at least 16 characters"),
                                    (["--token-file", "/nowhere"], "cannot read the token"),
                                    (["--listen", "nonsense"], "ADDRESS:PORT is needed"),
                                    (["--listen", "203.0.113.1:80"], "cannot listen on")):
                done = subprocess.run([eryx(), "serve", "--listen", "127.0.0.1:0", *arguments],
                                      capture_output=True, text=True, timeout=60)
                self.assertIn(done.returncode, (2, 125))
                self.assertIn(told, done.stderr)

    def test_streams(self):
        server = self.start()
        code = ("import asyncio, sys\nfor i in range(3):\n    print('line', i)\n"
                "    await asyncio.sleep(0.1)\nprint('end', file=sys.stderr)")
        connection = server.connect()
        connection.request("POST", "/v1/run", json.dumps({"code": code}), {
            "Authorization": "Bearer " + TOKEN, "Accept": "text/event-stream"})
        response = connection.getresponse()
        self.assertEqual(response.headers["Content-Type"], "text/event-stream")
        first = response.readline() + response.readline() + response.readline()
        self.assertEqual(first, b'event: stdout\ndata: "line 0\\n"\n\n')
        self.assertEqual(server.metric("jobs"), 1)  # it still runs
        rest = events(response.read().decode())
        self.assertEqual(rest[:2], [("stdout", "line 1\n"), ("stdout", "line 2\n")])
        self.assertEqual(rest[2], ("stderr", "end\n"))
        self.assertEqual((rest[3][0], rest[3][1]["stdout"]), ("outcome", "line 0\nline 1\nline 2\n"))
        self.assertEqual(len(rest), 4)
        # The connection goes on.
        self.assertEqual(server.ask("GET", "/healthz", connection=connection)[0], 200)

    def test_clients_that_go_away(self):
        server = self.start()
        for stream in (False, True):
            connections = []
            for code in ("while True: pass", "import time; time.sleep(100)",
                         "import asyncio; await asyncio.sleep(100)"):
                connection = server.connect()
                connection.request("POST", "/v1/run", json.dumps({"code": code, "stream": stream}),
                                   {"Authorization": "Bearer " + TOKEN})
                connections.append(connection)
            self.wait_for(lambda: server.metric("jobs") == 3)
            for connection in connections:
                connection.close()
            self.wait_for(lambda: server.metric("jobs") == 0)
        self.assertEqual(server.metric('jobs_ended_early_total{reason="cancelled"}'), 6)

    def test_sessions(self):
        server = self.start()
        status, body, _ = server.ask("POST", "/v1/sessions")
        self.assertEqual(status, 201)
        name = body["session"]
        self.run_code(server, "x = [1]", name)
        self.assertEqual(self.run_code(server, "x", name, result="")["result"], [1])
        self.assertEqual(server.ask("POST", f"/v1/sessions/{name}/fork", {"session": "copy"})[0], 201)
        self.assertEqual(server.ask("POST", f"/v1/sessions/{name}/fork", {"session": "copy"})[0], 409)
        self.run_code(server, "x.append(2)", "copy")
        self.assertEqual(self.run_code(server, "x", name, result="")["result"], [1])
        self.assertEqual(self.run_code(server, "x", "copy", result="")["result"], [1, 2])
        listed = server.ask("GET", "/v1/sessions")[1]["sessions"]
        self.assertEqual(sorted(s["session"] for s in listed), sorted([name, "copy"]))
        self.assertEqual(server.ask("GET", "/v1/sessions/copy")[1]["busy"], False)
        self.assertEqual(server.ask("POST", f"/v1/sessions/{name}/reset")[0], 204)
        self.assertEqual(self.run_code(server, "x", name)["exception"]["type"], "NameError")
        self.assertEqual(server.ask("DELETE", "/v1/sessions/copy")[0], 204)
        self.assertEqual(server.ask("DELETE", "/v1/sessions/copy")[0], 404)

    def test_one_after_the_other_in_a_session(self):
        server = self.start()
        self.run_code(server, "n = 0", "s")
        code = "import asyncio\nmine = n\nawait asyncio.sleep(0.01)\nn = mine + 1"
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda _: self.run_code(server, code, "s"), range(20)))
        self.assertEqual(self.run_code(server, "n", "s", result="")["result"], 20)

    def test_files(self):
        server = self.start(config={"limits": {"file": "1M"}})
        data = bytes(range(256)) * 1000
        self.assertEqual(server.ask("PUT", "/v1/sessions/s/files/a/b%20c.bin", data)[0], 204)
        status, body, headers = server.ask("GET", "/v1/sessions/s/files/a/b%20c.bin")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/octet-stream"))
        self.assertEqual(body, data)
        self.assertEqual(self.run_code(server, "import os; os.path.getsize('a/b c.bin')", "s",
                                       result="")["result"], len(data))
        self.assertEqual(server.ask("GET", "/v1/sessions/s/files/a/")[1],
                         [{"name": "b c.bin", "type": "file", "size": len(data)}])
        self.assertEqual(server.ask("GET", "/v1/sessions/s/files")[1],
                         [{"name": "a", "type": "folder"}])
        self.assertEqual(server.ask("DELETE", "/v1/sessions/s/files/a/b%20c.bin")[0], 204)
        status, body, _ = server.ask("GET", "/v1/sessions/s/files/a/b%20c.bin")
        self.assertEqual(status, 422)
        self.assertIn("No such file", body["error"]["message"])
        self.assertEqual(server.ask("PUT", "/v1/sessions/s/files/tmp/x?root=/", b"1")[0], 204)
        self.assertEqual(self.run_code(server, "open('/tmp/x').read()", "s", result="")["result"], "1")

    def test_overload(self):
        server = self.start(config={"jobs": 8, "workers": 2, "sessions": 2})
        code = "import asyncio; await asyncio.sleep(0.3)"
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda _: server.ask("POST", "/v1/run", {"code": code}), range(40)))
        statuses = [status for status, _, _ in answers]
        self.assertEqual(set(statuses), {200, 429})
        self.assertGreaterEqual(statuses.count(200), 8)
        refused = next(answer for answer in answers if answer[0] == 429)
        self.assertEqual((refused[1]["error"]["code"], refused[2]["Retry-After"]), ("overloaded", "1"))
        self.assertEqual(server.metric('jobs_ended_early_total{reason="rejected"}'),
                         statuses.count(429))
        for name, status in (("a", 200), ("b", 200), ("c", 429), ("a", 200)):
            self.assertEqual(server.ask("POST", f"/v1/sessions/{name}/execute", {"code": "1"})[0],
                             status, name)
        self.assertEqual(self.run_code(server, "6 * 7", result="")["result"], 42)

    def test_idle_sessions_are_closed(self):
        server = self.start(config={"session_idle": "200ms"})
        self.run_code(server, "x = 1", "s")
        self.wait_for(lambda: server.ask("GET", "/v1/sessions/s")[0] == 404)

    def test_servers_share_a_store(self):
        with tempfile.TemporaryDirectory(prefix="eryx-store-") as folder:
            config = {"store": {"directory": folder}, "sessions": 2}
            one, two = self.start(config=config), self.start(config=config)
            self.assertEqual(two.ask("GET", "/v1/sessions/s")[0], 404)
            self.run_code(one, "x = 1; steps = iter(range(99)); open('kept', 'w').write('text')", "s")
            body = self.run_code(two, "next(steps), open('kept').read()", "s", result="")
            self.assertEqual(body["result"], [0, "text"])
            self.assertEqual(self.run_code(one, "next(steps)", "s", result="")["result"], 1)
            for i in range(3):
                self.assertEqual(self.run_code(two, "x += 1; x", "s", result="")["result"], 2 + 2 * i)
                self.assertEqual(self.run_code(one, "x += 1; x", "s", result="")["result"], 3 + 2 * i)
            for name in ("t", "u", "v"):  # more than fit: those not in use are in the store
                self.run_code(one, f"y = '{name}'", name)
            self.assertEqual(self.run_code(one, "x", "s", result="")["result"], 7)
            self.assertEqual(self.run_code(two, "y", "u", result="")["result"], "u")
            self.assertEqual(two.ask("POST", "/v1/sessions/s/fork", {"session": "t"})[0], 409)
            self.run_code(two, "1", "u")
            self.assertEqual(two.ask("POST", "/v1/sessions/s/fork", {"session": "w"})[0], 201)
            self.assertEqual(self.run_code(two, "x", "w", result="")["result"], 7)
            self.assertEqual(one.stop()[0], 0)
            three = self.start(config=config)
            self.assertEqual(self.run_code(three, "x", "s", result="")["result"], 7)
            self.assertEqual(three.ask("DELETE", "/v1/sessions/s")[0], 204)
            self.assertEqual(two.ask("DELETE", "/v1/sessions/s")[0], 404)
            Path(folder, "broken.session").write_bytes(b"nonsense")
            status, body, _ = three.ask("POST", "/v1/sessions/broken/execute", {"code": "1"})
            self.assertEqual(status, 422, body)

    def test_metrics(self):
        server = self.start()
        self.run_code(server, "1")
        self.run_code(server, "1 / 0")
        self.assertEqual(server.metric('executions_total{outcome="ok"}'), 1)
        self.assertEqual(server.metric('executions_total{outcome="exception"}'), 1)
        self.assertEqual(server.metric("execution_seconds_count"), 2)
        self.assertEqual(server.metric('execution_seconds_bucket{le="+Inf"}'), 2)

    def test_the_format_of_metrics(self):
        with tempfile.TemporaryDirectory(prefix="eryx-store-") as folder:
            server = self.start("--store", folder)
            self.run_code(server, "1")
            _, data, headers = server.ask("GET", "/metrics")
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        documented = (Path(__file__).resolve().parents[2] / "docs/server.md").read_text()
        types, seen, buckets = {}, set(), []
        for line in data.decode().splitlines():
            if found := re.match(r"# HELP (eryx_\w+) \S.*\.$", line):
                helped = found[1]
            elif found := re.match(r"# TYPE (eryx_\w+) (counter|gauge|histogram)$", line):
                self.assertEqual(found[1], helped)
                self.assertNotIn(found[1], types)
                types[found[1]] = found[2]
                self.assertTrue(found[1] in documented, f"{found[1]} is not in docs/server.md")
            else:
                found = re.match(r'(eryx_\w+)(\{\w+="[^"]*"\})? (\d[\d.e+-]*)$', line)
                self.assertTrue(found, line)
                self.assertNotIn(found[1] + (found[2] or ""), seen)
                seen.add(found[1] + (found[2] or ""))
                family = re.sub("_(bucket|sum|count)$", "", found[1]) if types.get(helped) == "histogram" else found[1]
                self.assertEqual(family, helped)
                self.assertEqual(types[family] == "counter", found[1].endswith("_total"), line)
                if found[1].endswith("_bucket"):
                    buckets.append(float(found[3]))
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(types["eryx_store_up"], "gauge")

    def test_description(self):
        server = self.start()
        status, body, _ = server.ask("GET", "/openapi.json")
        self.assertEqual((status, body["openapi"]), (200, "3.1.0"))
        self.assertEqual(body, described.DESCRIPTION)
        used = set(described.references(body))
        for kind in ("schemas", "responses"):
            for name in body["components"][kind]:
                self.assertIn(f"#/components/{kind}/{name}", used)
        for reference in used:
            self.assertTrue(described.resolve(reference))
        # What is described is there, and nothing else.
        for template, operations in body["paths"].items():
            path = template.format(session="s", path="x")
            for method in ("GET", "PUT", "POST", "DELETE", "PATCH"):
                status, answer, _ = server.ask(method, path, b"")
                known = status != 405 and not (
                    status == 404 and isinstance(answer, dict) and answer["error"]["code"] == "path")
                self.assertEqual(known, method.lower() in operations, (method, path, status))
        # Every member of an execution is taken.
        examples = {"code": "x = 1", "timeout": 5, "result": "x", "display": True, "stream": False}
        self.assertEqual(set(examples), set(body["components"]["schemas"]["Execution"]["properties"]))
        self.run_code(server, **examples)
        # What an outcome has is what is described.
        outcome = self.run_code(server, "1 / 0", "s", result="")
        self.assertEqual(set(outcome) - set(body["components"]["schemas"]["Outcome"]["properties"]),
                         set())

    def test_the_end(self):
        server = self.start()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.run_code, server, "import time; time.sleep(1); 5", result="")
            self.wait_for(lambda: server.metric("jobs") == 1)
            connection = server.connect()
            self.assertEqual(server.ask("GET", "/readyz", connection=connection)[0], 200)
            server.process.send_signal(signal.SIGTERM)
            server.process.stderr.readline()  # "ending"
            self.assertEqual(server.ask("GET", "/readyz", connection=connection)[0], 503)
            with self.assertRaises(ConnectionError):
                server.ask("GET", "/readyz")
            self.assertEqual(answer.result()["result"], 5)
        self.assertEqual(server.process.wait(60), 0)

    def test_the_end_under_load(self):
        """Answers are complete, the last one of a connection says so."""
        server = self.start()
        body = b'{"code": "print(6 * 7)"}'
        request = (b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                   b"Content-Length: %d\r\n\r\n%s" % (TOKEN.encode(), len(body), body))
        connections = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(32)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.sendall(request * 50)
        self.wait_for(lambda: server.metric('executions_total{outcome="ok"}') > 50)
        server.process.send_signal(signal.SIGTERM)
        for connection in connections:
            answer = b""
            try:
                while part := connection.recv(65536):
                    answer += part
            except ConnectionResetError:
                pass  # there were more requests
            *_, last = answer.split(b"HTTP/1.1 200 OK\r\n")
            if last:  # RST may have taken the end with it
                head, text = last.split(b"\r\n\r\n")
                self.assertEqual(json.loads(text)["stdout"], "42\n", answer[-500:])
                self.assertIn(b"Connection: close", head)
        self.assertEqual(server.process.wait(60), 0)

    def test_the_end_with_calls(self):
        """When the grace is over, or a second signal comes, what waits for answers is let go."""
        server = self.start()
        connections = [server.connect() for _ in range(40)]
        for number, connection in enumerate(connections):
            code = "import asyncio; await asyncio.sleep(100)" if number % 2 else "while True: pass"
            connection.request("POST", "/v1/run", json.dumps({"code": code, "stream": number % 3 == 0}),
                               {"Authorization": "Bearer " + TOKEN})
        self.wait_for(lambda: server.metric("jobs") == 40)
        server.process.send_signal(signal.SIGTERM)
        server.process.stderr.readline()
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(60), 0)

    def test_a_second_signal(self):
        server = self.start()
        connection = server.connect()
        connection.request("POST", "/v1/run", json.dumps({"code": "while True: pass"}),
                           {"Authorization": "Bearer " + TOKEN})
        self.wait_for(lambda: server.metric("jobs") == 1)
        server.process.send_signal(signal.SIGTERM)
        server.process.stderr.readline()
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(25), 0)  # not the 30 s of the grace


if __name__ == "__main__":
    main()
