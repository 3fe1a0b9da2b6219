#!/usr/bin/env python3
"""Servers that share sessions through a store on the network: tests/cli/test_stores.py --eryx PROGRAM [TEST ...]"""
import concurrent.futures
import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from server_process import TOKEN, Server, events
from store_process import REDIS_PASSWORD, S3, Redis, RedisCluster, S3_KEYS, environment_of
from suite import eryx, main

ROOT = Path(__file__).resolve().parents[2]
DEPS = ROOT / "build/deps/s3"
WAITS = "import asyncio\nx = -1\nprint('go', flush=True)\nawait asyncio.sleep(%s)\nx"


class Fleet:
    """What both kinds do; Store is the process."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="eryx-store-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.store = cls.Store(Path(cls.folder.name))
        cls.addClassCleanup(lambda: cls.store.stop())

    def serve(self, options="", config=None, url=None, **more):
        config = {**(config or {}), "store": {"url": url or self.store.url(options)}}
        server = Server(config=config, environment=environment_of(self.store), **more)
        self.addCleanup(self.end, server)
        return server

    def end(self, server):
        code, said = server.stop()
        self.assertIn(code, (0, -signal.SIGKILL), said)

    def run_code(self, server, session, code, **members):
        return server.ask("POST", f"/v1/sessions/{session}/execute", {"code": code, **members})[:2]

    def value(self, server, session, code):
        status, body = self.run_code(server, session, code, result="")
        self.assertEqual((status, body.get("outcome")), (200, "ok"), body)
        return body["result"]

    def error(self, answer):
        return answer[0], answer[1]["error"]["code"]

    def wait_for(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "it does not come to that")
            time.sleep(0.05)

    def start_waiting(self, server, session, seconds):
        """A program that has begun and waits. What it returns waits for its last event: (name, data)."""
        connection = server.connect()
        self.addCleanup(connection.close)
        connection.request("POST", f"/v1/sessions/{session}/execute",
                           json.dumps({"code": WAITS % seconds, "result": "", "stream": True}),
                           {"Authorization": "Bearer " + TOKEN})
        response = connection.getresponse()
        self.assertEqual(response.readline(), b"event: stdout\n")
        return lambda: events(response.read().decode())[-1]

    def test_sessions_move(self):
        one, two = self.serve(), self.serve()
        self.assertEqual(self.error(one.ask("GET", "/v1/sessions/s")[:2]), (404, "no_session"))
        self.assertEqual(self.run_code(one, "s", "x = [1]; open('kept', 'w').write('text')")[0], 200)
        self.assertEqual(two.ask("GET", "/v1/sessions/s")[:2], (200, {"session": "s"}))
        self.assertEqual(one.ask("GET", "/v1/sessions/s")[1]["busy"], False)
        self.assertEqual(two.ask("GET", "/v1/sessions")[1], {"sessions": []})
        self.assertEqual(self.value(two, "s", "x.append(2); x, open('kept').read()"), [[1, 2], "text"])
        self.assertEqual(self.value(one, "s", "x"), [1, 2])
        self.assertEqual(two.ask("POST", "/v1/sessions/s/fork", {"session": "t"})[0], 201)
        self.assertEqual(self.value(one, "t", "x"), [1, 2])
        self.assertEqual(self.error(one.ask("POST", "/v1/sessions/s/fork", {"session": "t"})[:2]),
                         (409, "exists"))
        self.assertEqual(one.ask("PUT", "/v1/sessions/s/files/a", b"data")[0], 204)
        self.assertEqual(two.ask("GET", "/v1/sessions/s/files/a")[1], b"data")
        self.assertEqual(one.ask("POST", "/v1/sessions/s/reset")[0], 204)
        self.assertEqual(self.run_code(two, "s", "x")[1]["exception"]["type"], "NameError")
        self.assertEqual(one.ask("DELETE", "/v1/sessions/t")[0], 204)
        for server in (one, two):
            self.assertEqual(self.error(server.ask("GET", "/v1/sessions/t/files")[:2]), (404, "no_session"))
        self.assertEqual(one.stop()[0], 0)
        self.assertEqual(self.value(self.serve(), "s", "2"), 2)

    def test_a_race(self):
        servers = [self.serve(), self.serve()]
        self.run_code(servers[0], "race", "n = 0")

        def add(server):
            for _ in range(6):
                while (answer := self.run_code(server, "race", "n += 1"))[0] == 409:
                    self.assertIn(answer[1]["error"]["code"], ("elsewhere", "lost"))
                self.assertEqual(answer[0], 200, answer)
                self.assertNotIn("saved", answer[1])
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(add, servers * 2))
        self.assertEqual(self.value(servers[1], "race", "n"), 24)

    def test_a_server_that_is_killed(self):
        one, two = self.serve("lease=2s"), self.serve("lease=2s")
        self.assertEqual(self.value(one, "k", "x = 5; x"), 5)
        answer = self.start_waiting(one, "k", 100)
        # Its lease is renewed: after more than a lease it still has the session.
        end = time.monotonic() + 3
        while time.monotonic() < end:
            self.assertEqual(self.error(self.run_code(two, "k", "x")), (409, "elsewhere"))
            time.sleep(0.2)
        one.process.send_signal(signal.SIGKILL)
        with self.assertRaises((ConnectionError, http.client.IncompleteRead)):
            answer()
        self.wait_for(lambda: self.run_code(two, "k", "x")[0] == 200, 15)
        self.assertEqual(self.value(two, "k", "x"), 5)

    def test_a_server_that_was_away(self):
        one, two = self.serve("lease=1s"), self.serve("lease=1s")
        self.run_code(one, "a", "x = 1")
        answer = self.start_waiting(one, "a", 1)
        one.process.send_signal(signal.SIGSTOP)
        self.wait_for(lambda: self.run_code(two, "a", "x = 7")[0] == 200)
        one.process.send_signal(signal.SIGCONT)
        name, error = answer()
        self.assertEqual((name, error["code"]), ("error", "lost"))
        self.assertIn("another server has changed the session", error["message"])
        self.assertEqual(self.value(one, "a", "x"), 7)
        self.assertEqual(self.value(two, "a", "x"), 7)

    def test_a_lease_that_ended_unseen(self):
        one = self.serve("lease=1s")
        answer = self.start_waiting(one, "u", 1)
        one.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)  # nobody takes the session meanwhile
        one.process.send_signal(signal.SIGCONT)
        self.assertEqual(answer()[1]["result"], -1)
        self.assertEqual(self.value(self.serve(), "u", "x"), -1)

    def test_damaged_and_too_big(self):
        self.store.damage("broken")
        server = self.serve()
        status, body = self.run_code(server, "broken", "1")
        self.assertEqual(self.error((status, body)), (422, "failed"))
        self.assertIn("the saved session cannot be used", body["error"]["message"])
        self.assertEqual(server.ask("POST", "/v1/sessions/broken/reset")[0], 204)
        self.assertEqual(self.value(server, "broken", "2"), 2)
        self.store.damage("broken")
        self.assertEqual(server.ask("DELETE", "/v1/sessions/broken")[0], 204)
        self.assertEqual(server.ask("DELETE", "/v1/sessions/broken")[0], 404)
        self.run_code(server, "big", "import random; x = random.randbytes(3 << 20)")
        small = self.serve(config={"limits": {"snapshot": "2M"}})
        status, body = self.run_code(small, "big", "len(x)")
        self.assertEqual(self.error((status, body)), (422, "failed"))
        self.assertRegex(body["error"]["message"], r"cannot read session 'big' \(store .*\): it has")
        self.assertEqual(self.run_code(small, "new", "import random; x = random.randbytes(3 << 20)")[1]["saved"],
                         False)
        self.assertEqual(small.metric("store_unsaved_total"), 1)
        self.assertEqual(self.value(server, "big", "len(x)"), 3 << 20)

    def test_a_store_that_goes_away(self):
        server = self.serve("timeout=2s")
        self.assertEqual(self.value(server, "g", "x = 1; x"), 1)
        answer = self.start_waiting(server, "h", 1)
        self.store.stop()
        self.assertEqual(answer()[1].get("saved"), False)
        status, body = self.run_code(server, "g", "x")
        self.assertEqual(self.error((status, body)), (503, "store"))
        self.assertIn(str(self.store.port), body["error"]["message"])
        status, why, _ = server.ask("GET", "/readyz")
        self.assertEqual(status, 503)
        self.assertRegex(why.decode(), "^store (redis|s3)://.*: .*connect")
        self.assertEqual(server.ask("GET", "/healthz")[0], 200)
        self.assertEqual(server.metric("store_up"), 0)
        self.assertEqual(server.ask("POST", "/v1/run", {"code": "1"})[0], 200)
        type(self).store.start()
        self.wait_for(lambda: server.ask("GET", "/readyz")[0] == 200)
        self.assertEqual(server.metric("store_up"), 1)
        self.assertEqual(self.value(server, "g2", "3"), 3)

    def test_a_store_that_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            url = self.store.url("timeout=1s").replace(str(self.store.port), str(port))
            server = self.serve(url=url)
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                answer = pool.submit(self.run_code, server, "q", "1")
                self.wait_for(lambda: server.metric("jobs") == 1)
                self.assertEqual(server.ask("GET", "/healthz")[0], 200)  # nothing blocks the loop
                self.assertEqual(server.metric("jobs"), 1)
                self.assertEqual(self.error(answer.result()), (503, "store"))

    def test_a_store_that_talks_nonsense(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def answer():
                while True:
                    try:
                        peer, _ = listener.accept()
                    except OSError:
                        return
                    with peer:
                        peer.recv(65536)
                        peer.sendall(b"\x1b[31m" + bytes(range(256)) * 40 + b"\r\n\r\n")
            threading.Thread(target=answer, daemon=True).start()
            port = listener.getsockname()[1]
            server = self.serve(url=self.store.url("timeout=1s").replace(str(self.store.port), str(port)))
            self.assertEqual(self.error(self.run_code(server, "q", "1")), (503, "store"))
            listener.shutdown(socket.SHUT_RDWR)
        self.assertNotIn("\x1b", server.stop()[1])


class Breaking:
    """A way to a store that closes one connection, in the middle of a large message."""
    MOST = 1 << 20

    def __init__(self, port):
        self.to, self.broken = port, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, far = self.listener.accept()[0], socket.create_connection(("127.0.0.1", self.to))
                threading.Thread(target=self.copy, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self.copy, args=(far, near, False), daemon=True).start()

    def copy(self, source, target, forth):
        passed = 0
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(1 << 16):
                passed += len(data)
                if forth and passed > self.MOST and not self.broken.is_set():
                    self.broken.set()
                    source.shutdown(socket.SHUT_WR)  # its end comes before the reset: EPIPE
                    return
                target.sendall(data)

    def stop(self):
        self.listener.close()


class WithRedis(Fleet, unittest.TestCase):
    Store = Redis

    def test_a_wrong_password(self):
        server = self.serve(url=self.store.url(password="wr0ng-secret"))
        status, body = self.run_code(server, "p", "1")
        self.assertEqual(self.error((status, body)), (503, "store"))
        self.assertIn("WRONGPASS", body["error"]["message"])
        ready = server.ask("GET", "/readyz")[1].decode()
        for text in (str(body), ready, server.stop()[1]):
            self.assertNotIn("wr0ng-secret", text)
        server = self.serve(url=f"redis://127.0.0.1:{self.store.port}")
        self.assertIn("NOAUTH", self.run_code(server, "p", "1")[1]["error"]["message"])

    def test_a_full_store(self):
        server = self.serve()
        self.assertEqual(self.value(server, "f", "x = 1; x"), 1)
        self.store.command("CONFIG", "SET", "maxmemory", "1")
        self.addCleanup(self.store.command, "CONFIG", "SET", "maxmemory", "0")
        status, body = self.run_code(server, "f", "x")
        self.assertEqual(self.error((status, body)), (422, "failed"))
        self.assertIn("OOM", body["error"]["message"])

    def tls_store(self, name):
        """A store with TLS, and the file of its certificate."""
        folder = Path(self.folder.name) / name
        folder.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", folder / "tls.key", "-out",
                        folder / "tls.pem"], check=True, capture_output=True)
        store = Redis(folder, tls=folder / "tls")
        self.addCleanup(store.stop)
        return store, folder / "tls.pem"

    def test_tls(self):
        store, ca = self.tls_store("tls")
        url = store.url(f"ca={ca}")
        self.assertEqual(self.value(self.serve(url=url), "t", "x = 3; x"), 3)
        self.assertEqual(self.value(self.serve(url=url), "t", "x"), 3)
        for wrong in (store.url(), url.replace("localhost", "127.0.0.1")):
            status, body = self.run_code(self.serve(url=wrong), "t", "x")
            self.assertEqual(self.error((status, body)), (503, "store"))
            self.assertIn("SSL", body["error"]["message"])

    def test_mcp_over_a_broken_tls_connection(self):
        """Writing to a connection that is closed meanwhile sends no signal that ends the server: it writes again."""
        store, ca = self.tls_store("broken")
        way = Breaking(store.port)
        self.addCleanup(way.stop)
        url = store.url(f"ca={ca}").replace(str(store.port), str(way.port))
        process = subprocess.Popen([eryx(), "mcp", "--store", url], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, bufsize=1)
        self.addCleanup(process.kill)

        def call(number, code):
            process.stdin.write(json.dumps({
                "jsonrpc": "2.0", "id": number, "method": "tools/call",
                "params": {"name": "session_execute", "arguments": {"code": code}}}) + "\n")
            line = process.stdout.readline()
            self.assertTrue(line, f"the server is gone: {process.poll()}")
            answer = json.loads(line)
            self.assertEqual(answer["id"], number)
            return answer["result"]["isError"], answer["result"]["content"][0]["text"]
        self.assertEqual(call(1, "x = 3; x"), (False, "3\n"))
        self.assertEqual(call(2, f"import os; x = os.urandom({4 * way.MOST}); 5"), (False, "5\n"))
        process.communicate(timeout=60)
        self.assertEqual((process.returncode, way.broken.is_set()), (0, True))
        server = self.serve(url=store.url(f"ca={ca}"))
        self.assertEqual(self.value(server, "default", "len(x)"), 4 * way.MOST)

    def test_the_environment(self):
        environment = {**environment_of(self.store), "ERYX_STORE": self.store.url()}
        one = Server(environment=environment)
        self.addCleanup(one.stop)
        two = Server("--store", self.store.url())
        self.addCleanup(two.stop)
        self.assertEqual(self.value(one, "e", "x = 3; x"), 3)
        self.assertEqual(self.value(two, "e", "x"), 3)


class WithRedisCluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="eryx-store-")
        cls.addClassCleanup(folder.cleanup)
        cls.store = RedisCluster(Path(folder.name))
        cls.addClassCleanup(cls.store.stop)

    def serve(self, *place):
        server = Server("--store", self.store.url(*place))
        self.addCleanup(server.stop)
        return server

    def value(self, server, session, code):
        status, body, _ = server.ask("POST", f"/v1/sessions/{session}/execute", {"code": code, "result": ""})
        self.assertEqual((status, body.get("outcome"), body.get("saved")), (200, "ok", None), body)
        return body["result"]

    def test_sessions_are_on_all_nodes(self):
        one, two = self.serve(0), self.serve(1)
        for number in range(12):
            self.assertEqual(self.value(one, f"n{number}", f"x = {number}; x"), number)
            self.assertEqual(self.value(two, f"n{number}", "x += 1; x"), number + 1)
        for node in range(3):
            self.assertIn("{n", self.store.command(node, "KEYS", "eryx:*"))
        for number in range(12):
            self.assertEqual(one.ask("POST", f"/v1/sessions/n{number}/fork", {"session": f"m{number}"})[0], 201)
            self.assertEqual(two.ask("DELETE", f"/v1/sessions/n{number}")[0], 204)
            self.assertEqual(self.value(two, f"m{number}", "x"), number + 1)

    def test_a_slot_that_moves(self):
        servers = self.serve(0), self.serve(2)
        command = self.store.command
        self.assertEqual(self.value(servers[0], "moves", "x = 1; x"), 1)
        key = "eryx:{moves}"
        slot = command(0, "CLUSTER", "KEYSLOT", key)
        ids = [command(node, "CLUSTER", "MYID") for node in range(3)]
        source = next(node for node in range(3) if key in command(node, "KEYS", "*"))
        target = (source + 1) % 3
        # Both keys are there (ASK) when the session is written.
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.value, servers[0], "moves", "import asyncio\nawait asyncio.sleep(1)\nx += 1; x")
            end = time.monotonic() + 30
            while command(source, "EXISTS", key + ":lease") != "1":
                self.assertLess(time.monotonic(), end)
            self.assertEqual(command(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source]), "OK")
            self.assertEqual(command(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target]), "OK")
            self.assertEqual(command(source, "MIGRATE", "127.0.0.1", self.store.ports[target], "", 0, 5000, "AUTH",
                                     REDIS_PASSWORD, "KEYS", key, key + ":lease"), "OK")
            self.assertFalse(answer.done())
            self.assertEqual(answer.result(), 2)
        # A new lease is not there, while the session is.
        status, body, headers = servers[0].ask("GET", "/v1/sessions/moves/files/")
        self.assertEqual((status, body["error"]["code"], headers["Retry-After"]), (503, "store", "1"), body)
        self.assertIn("TRYAGAIN", body["error"]["message"])
        for node in source, target:
            self.assertEqual(command(node, "CLUSTER", "SETSLOT", slot, "NODE", ids[target]), "OK")
        for number, server in enumerate(servers * 2):
            end = time.monotonic() + 30
            while server.ask("GET", "/readyz")[0] != 200:
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
            self.assertEqual(self.value(server, "moves", "x += 1; x"), number + 3)
        self.assertIn(key, command(target, "KEYS", "*"))

    def test_databases(self):
        status, body, _ = self.serve(0, "/1").ask("POST", "/v1/sessions/d/execute", {"code": "1"})
        self.assertEqual(status, 503)
        self.assertIn("SELECT is not allowed in cluster mode", body["error"]["message"])


class WithS3(Fleet, unittest.TestCase):
    Store = S3

    def test_wrong_keys(self):
        for name, code in (("AWS_ACCESS_KEY_ID", "InvalidAccessKeyId"),
                           ("AWS_SECRET_ACCESS_KEY", "SignatureDoesNotMatch"),
                           ("AWS_SESSION_TOKEN", "AccessDenied")):
            environment = {**environment_of(self.store), name: "wr0ng-secret"}
            server = Server(config={"store": {"url": self.store.url()}}, environment=environment)
            self.addCleanup(server.stop)
            status, body = self.run_code(server, "p", "1")
            self.assertEqual(self.error((status, body)), (503, "store"))
            self.assertIn("status 403 " + code, body["error"]["message"])
            self.assertNotIn("wr0ng-secret", str(body) + server.stop()[1])

    def test_no_bucket(self):
        server = self.serve(url=self.store.url().replace("sessions", "nowhere"))
        status, body = self.run_code(server, "p", "1")
        self.assertEqual(self.error((status, body)), (503, "store"))
        self.assertIn("NoSuchBucket", body["error"]["message"])
        self.assertIn(b"NoSuchBucket", server.ask("GET", "/readyz")[1])


class Places(unittest.TestCase):
    def test_bad_places(self):
        for place, told in (
                ("ftp://h/x", "no stores of the kind 'ftp://'"), ("file://x/y", "file:///FOLDER"),
                ("redis://", "not one"), ("redis://h:99999", "not one"), ("redis://h/x", "number of a database"),
                ("redis://u@h", "user without a password"), ("redis://h?lease=0", "lease must be a duration"),
                ("redis://h?leas=1s", "unknown or empty option 'leas'"), ("redis://h?ca=/x", "ca needs rediss"),
                ("redis://h?endpoint=http://x", "option 'endpoint'"), ("s3://b?endpoint=x", "endpoint must be"),
                ("s3://b:1/", "no port"), ("s3://k:s3cret@b/", "AWS_ACCESS_KEY_ID"),
                ("s3://b/a%20b", "bucket and prefix"), ("s3://b?region=a/b", "region"),
                ("/dev/null/x", "cannot make the store")):
            done = subprocess.run([eryx(), "serve", "--listen", "127.0.0.1:0", "--store", place],
                                  capture_output=True, text=True, timeout=60,
                                  env={**S3_KEYS, "ERYX_TOKEN": "0123456789abcdef"})
            self.assertEqual(done.returncode, 125, (place, done.stderr))
            self.assertIn(told, done.stderr)
            self.assertNotIn("s3cret", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_keys_are_needed(self):
        done = subprocess.run([eryx(), "mcp", "--store", "s3://b"], capture_output=True, text=True, env={},
                              timeout=60)
        self.assertEqual(done.returncode, 125)
        self.assertIn("need AWS_ACCESS_KEY_ID", done.stderr)

    def test_one_place(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write('{"store": {"directory": "/tmp/x", "url": "redis://:s3cret@h"}}')
            file.flush()
            done = subprocess.run([eryx(), "serve", "--config", file.name], capture_output=True, text=True,
                                  timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("not both", done.stderr)
        self.assertEqual(REDIS_PASSWORD in done.stderr or "s3cret" in done.stderr, False)


class Manifest(unittest.TestCase):
    """examples/kubernetes/eryx.yaml: what it says to the command is what the command takes."""

    def test_manifest(self):
        sys.path.insert(0, str(DEPS))
        import yaml
        parts = {part["kind"]: part for part in yaml.safe_load_all((ROOT / "examples/kubernetes/eryx.yaml").read_text())}
        pod = parts["Deployment"]["spec"]["template"]
        container, = pod["spec"]["containers"]
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        self.assertEqual({mount["name"] for mount in container["volumeMounts"]}, volumes)
        for selector in (parts["Service"]["spec"]["selector"],
                         parts["Deployment"]["spec"]["selector"]["matchLabels"],
                         parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]):
            self.assertEqual(selector, pod["metadata"]["labels"])
        config = json.loads(parts["ConfigMap"]["data"]["config.json"])
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "token").write_text("a-token-for-the-tests")
            Path(folder, "config.json").write_text(json.dumps(config))
            arguments = [word.replace("0.0.0.0:8080", "127.0.0.1:0")
                         .replace("/run/eryx", folder).replace("/etc/eryx", folder)
                         for word in container["args"]]
            server = Server(line=arguments, environment={"ERYX_STORE": folder + "/store"})
            self.addCleanup(server.stop)
            for probe in ("readinessProbe", "livenessProbe"):
                get = container[probe]["httpGet"]
                self.assertEqual(server.ask("GET", get["path"], Authorization="")[0], 200)
                self.assertIn(get["port"], [port["name"] for port in container["ports"]])
            self.assertEqual(server.metric("store_up"), 1)
            self.assertEqual(server.ask("POST", "/v1/sessions/s/execute", {"code": "1"})[0], 200)
            self.assertTrue(Path(folder, "store/s.session").exists())
        self.assertIn({"name": "ERYX_STORE", "valueFrom": {"secretKeyRef": {"name": "eryx", "key": "store"}}},
                      container["env"])
        self.assertEqual(str(container["ports"][0]["containerPort"]),
                         pod["metadata"]["annotations"]["prometheus.io/port"])


if __name__ == "__main__":
    main()
