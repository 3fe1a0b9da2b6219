#!/usr/bin/env python3
"""`eryx mcp` with the official client: tests/cli/test_mcp.py --eryx PROGRAM [TEST ...]

The client is fetched by `deps/fetch --tests`. Each test runs in both of its modes: with the handshake of the
revisions up to 2025-11-25, and without, as of 2026-07-28.
"""
import asyncio
import base64
import contextlib
import json
import logging
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from server_process import TOKEN, Server
from suite import eryx, main

logging.getLogger("asyncio").setLevel(logging.ERROR)  # not that the machine is slow
CLIENT = Path(__file__).resolve().parents[2] / "build/deps/mcp"
sys.path.insert(0, str(CLIENT))
try:
    from mcp import Client, StdioServerParameters
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client
    from mcp.shared.exceptions import MCPError
except ImportError as error:
    sys.exit(f"the mcp client is not in {CLIENT} ({error}): run deps/fetch --tests\n0 passed, 1 failed")


def text_of(result):
    assert len(result.content) == 1 and result.content[0].type == "text", result
    return result.content[0].text


class WithServer(unittest.IsolatedAsyncioTestCase):
    mode = "legacy"

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="eryx-mcp-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.configs = 0

    def client(self, config=None, **options):
        arguments = ["mcp"]
        if config is not None:
            self.configs += 1  # a file each: an earlier server may not have read its own yet
            path = self.folder / f"config-{self.configs}.json"
            path.write_text(json.dumps(config))
            arguments += ["--config", str(path)]
        return Client(StdioServerParameters(command=str(eryx()), args=arguments), mode=self.mode,
                      **options)


class Mcp(WithServer):
    async def test_tools(self):
        async with self.client() as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        self.assertEqual(sorted(tools), ["file_get", "file_list", "file_put", "run_python",
                                         "session_execute", "session_fork", "session_list",
                                         "session_reset"])
        schema = tools["run_python"].input_schema
        self.assertEqual(schema["required"], ["code"])
        self.assertEqual(schema["properties"]["timeout"]["maximum"], 60)
        self.assertTrue(all(tool.description for tool in tools.values()))

    async def test_run_python(self):
        async with self.client() as client:
            result = await client.call_tool("run_python", {"code": "print('häl\U0001f600lo')\n6 * 7"})
            self.assertFalse(result.is_error)
            self.assertEqual(text_of(result), "häl\U0001f600lo\n42\n")
            structured = result.structured_content
            self.assertEqual((structured["outcome"], structured["exit_code"], structured["stdout"],
                              structured["stderr"]), ("ok", 0, "häl\U0001f600lo\n42\n", ""))
            result = await client.call_tool("run_python", {"code": "x = 1"})
            self.assertEqual(text_of(result), "(no output)")
            result = await client.call_tool("run_python", {"code": "x"})
            self.assertIn("NameError", text_of(result))

    async def test_errors_a_model_can_act_on(self):
        async with self.client({"limits": {"timeout": "300ms", "output": "10K"}}) as client:
            result = await client.call_tool("run_python", {"code": "def f():\n    1 / 0\nf()"})
            self.assertTrue(result.is_error)
            self.assertIn('line 2, in f\n    1 / 0\n    ~~^~~\nZeroDivisionError: division by zero',
                          text_of(result))
            self.assertEqual(result.structured_content["exception"]["type"], "ZeroDivisionError")
            result = await client.call_tool("run_python", {"code": "while True: pass"})
            self.assertTrue(result.is_error)
            self.assertIn("wall time limit", text_of(result))
            self.assertIn("faster algorithm", text_of(result))
            self.assertEqual(result.structured_content["limit"]["value"], 300_000_000)
            result = await client.call_tool("run_python", {"code": "print('x' * 20000)"})
            self.assertIn("bytes of output beyond the limit were dropped", text_of(result))
            result = await client.call_tool("run_python", {"code": "raise SystemExit(3)"})
            self.assertIn("exit code 3", text_of(result))
            for arguments, told in (({}, "needs the argument 'code'"),
                                    ({"code": 5}, "'code' must be a string"),
                                    ({"code": "1", "cod": "2"}, "no argument 'cod'"),
                                    ({"code": "1", "timeout": -1}, "seconds above 0")):
                result = await client.call_tool("run_python", arguments)
                self.assertTrue(result.is_error)
                self.assertIn(told, text_of(result))
            with self.assertRaisesRegex(MCPError, "unknown tool"):
                await client.call_tool("no_tool", {})

    async def test_timeout_of_a_call(self):
        async with self.client() as client:
            for code in ("while True: pass", "import asyncio; await asyncio.sleep(100)",
                         "import time; time.sleep(100)"):
                result = await client.call_tool("run_python", {"code": code, "timeout": 0.2})
                self.assertEqual(result.structured_content["outcome"], "timeout", code)

    async def test_sessions(self):
        async with self.client() as client:
            async def run(code, session="default"):
                result = await client.call_tool("session_execute",
                                                {"code": code, "session": session})
                return text_of(result)
            await run("x = [1]; open('kept', 'w').write('text')")
            self.assertEqual(await run("x"), "[1]\n")
            self.assertIn("NameError", await run("x", "other"))
            result = await client.call_tool("session_fork", {"new_session": "copy"})
            self.assertFalse(result.is_error, result)
            await run("x.append(2)", "copy")
            self.assertEqual((await run("x"), await run("x", "copy")), ("[1]\n", "[1, 2]\n"))
            self.assertEqual(await run("open('kept').read()", "copy"), "'text'\n")
            result = await client.call_tool("session_fork", {"new_session": "copy"})
            self.assertIn("already", text_of(result))
            result = await client.call_tool("session_list", {})
            self.assertEqual(sorted(s["session"] for s in result.structured_content["sessions"]),
                             ["copy", "default", "other"])
            await client.call_tool("session_reset", {})
            self.assertIn("NameError", await run("x"))
            result = await client.call_tool("session_reset", {"session": "never"})
            self.assertIn("no such session", text_of(result))
            result = await client.call_tool("session_execute", {"code": "1", "session": "a/b"})
            self.assertIn("letters, digits", text_of(result))

    async def test_a_stopped_session(self):
        async with self.client({"limits": {"timeout": "200ms"}}) as client:
            await client.call_tool("session_execute", {"code": "x = 5"})
            result = await client.call_tool("session_execute", {"code": "while True: pass"})
            self.assertEqual(result.structured_content["outcome"], "limit")
            self.assertFalse(result.structured_content["session_lost"])
            result = await client.call_tool("session_execute", {"code": "x"})
            self.assertEqual(text_of(result), "5\n")

    async def test_files(self):
        async with self.client({"limits": {"file": "1K"}}) as client:
            put = {"path": "data/a.txt", "content": "häl\nlo"}
            self.assertEqual(text_of(await client.call_tool("file_put", put)),
                             "wrote 7 bytes to data/a.txt")
            result = await client.call_tool("session_execute", {"code": "open('data/a.txt').read()"})
            self.assertEqual(text_of(result), "'häl\\nlo'\n")
            self.assertEqual(text_of(await client.call_tool("file_get", {"path": "data/a.txt"})),
                             "häl\nlo")
            raw = bytes(range(256))
            await client.call_tool("file_put", {"path": "/tmp/b", "encoding": "base64",
                                                "content": base64.b64encode(raw).decode()})
            result = await client.call_tool("file_get", {"path": "/tmp/b", "encoding": "base64"})
            self.assertEqual(base64.b64decode(text_of(result)), raw)
            result = await client.call_tool("file_get", {"path": "/tmp/b"})
            self.assertIn("not text in UTF-8", text_of(result))
            result = await client.call_tool("file_list", {"path": "data"})
            self.assertEqual(json.loads(text_of(result)),
                             [{"name": "a.txt", "type": "file", "size": 7}])
            for tool, arguments, told in (
                    ("file_get", {"path": "nowhere"}, "No such file"),
                    ("file_put", {"path": "x", "content": "a" * 1025}, "more than the 1024"),
                    ("file_put", {"path": "x", "content": "?", "encoding": "base64"}, "not base64"),
                    ("file_get", {"path": "x", "session": "never"}, "no such session")):
                result = await client.call_tool(tool, arguments)
                self.assertTrue(result.is_error)
                self.assertIn(told, text_of(result))
            await client.call_tool("session_execute", {"code": "open('big', 'w').write('a' * 1025)"})
            self.assertIn("more than the 1024 bytes", text_of(await client.call_tool("file_get", {"path": "big"})))

    async def test_progress(self):
        seen = []

        async def progress(done, total, message):
            seen.append((done, message))
        code = ("import asyncio\nfor i in range(3):\n    print('step', i)\n"
                "    await asyncio.sleep(0.05)\nawait asyncio.sleep(1.2)\n'end'")
        async with self.client() as client:
            result = await client.call_tool("run_python", {"code": code}, progress_callback=progress)
        self.assertEqual(text_of(result), "step 0\nstep 1\nstep 2\n'end'\n")
        times = [time for time, _ in seen]
        self.assertEqual(times, sorted(set(times)))
        messages = [message for _, message in seen]
        self.assertEqual("".join(m for m in messages if m != "running"),
                         "step 0\nstep 1\nstep 2\n'end'\n")
        self.assertIn("running", messages)
        self.assertLess(messages.index("step 0\n"), messages.index("running"))

    async def test_log_messages(self):
        seen = []

        async def log(params):
            seen.append((params.level, params.logger, params.data))
        options = {"log_level": "info"} if self.mode != "legacy" else {}
        async with self.client(logging_callback=log, **options) as client:
            if self.mode == "legacy":
                await client.set_logging_level("info")
            code = "import sys\nprint('out')\nprint('err', file=sys.stderr)"
            await client.call_tool("run_python", {"code": code})
        self.assertEqual(seen, [("info", "stdout", "out\n"), ("notice", "stderr", "err\n")])

    async def test_cancellation(self):
        async with self.client() as client:
            for code in ("while True: pass", "import time; time.sleep(100)",
                         "import asyncio; await asyncio.sleep(100)"):
                started = asyncio.Event()

                async def progress(done, total, message):
                    started.set()
                task = asyncio.create_task(client.call_tool(
                    "session_execute", {"code": "print('go', flush=True)\n" + code},
                    progress_callback=progress))
                await asyncio.wait_for(started.wait(), 30)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                # The session is free again: else this would wait for the limit of 60 s.
                result = await asyncio.wait_for(
                    client.call_tool("session_execute", {"code": "1 + 1"}), 30)
                self.assertEqual(text_of(result), "2\n")

    async def test_50_calls_at_once(self):
        code = "import asyncio\nawait asyncio.sleep(0.5)\n{} * 2"
        async with self.client() as client:
            await client.call_tool("run_python", {"code": "1"})
            started = time.monotonic()
            results = await asyncio.gather(*(client.call_tool("run_python", {"code": code.format(i)})
                                             for i in range(50)))
            took = time.monotonic() - started
            self.assertEqual([text_of(r) for r in results], [f"{i * 2}\n" for i in range(50)])
            self.assertLess(took, 12, "50 waits of 0.5 s did not overlap")
            results = await asyncio.gather(*(client.call_tool(
                "session_execute", {"code": f"n = {i}\nn", "session": f"s{i % 10}"})
                for i in range(50)))
            self.assertEqual([text_of(r) for r in results], [f"{i}\n" for i in range(50)])

    async def test_cancelled_among_many(self):
        """50 calls, every third is cancelled once it runs; the others are not disturbed."""
        began = [asyncio.Event() for _ in range(50)]
        go_on = "import asyncio\nprint('go', flush=True)\nawait asyncio.sleep({})\n{} * 2"

        async def one(client, i):
            async def progress(done, total, message):
                began[i].set()
            return await client.call_tool(
                "run_python", {"code": go_on.format(100 if i % 3 == 0 else 0.2, i)},
                progress_callback=progress)
        async with self.client() as client:
            tasks = [asyncio.create_task(one(client, i)) for i in range(50)]
            for i in range(0, 50, 3):
                await asyncio.wait_for(began[i].wait(), 60)
                tasks[i].cancel()
            results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 60)
            for i, result in enumerate(results):
                if i % 3 == 0:
                    self.assertIsInstance(result, asyncio.CancelledError)
                else:
                    self.assertEqual(text_of(result), f"go\n{i * 2}\n")
            self.assertEqual(text_of(await client.call_tool("run_python", {"code": "7"})), "7\n")

    async def test_two_clients(self):
        """At once, with sessions of the same name."""
        async with self.client() as one, self.client() as two:
            await asyncio.gather(*(client.call_tool("session_execute", {"code": f"x = {n}"})
                                   for n, client in enumerate((one, two))))
            results = [await asyncio.gather(*(client.call_tool("session_execute", {"code": "x"})
                                              for _ in range(5))) for client in (one, two)]
            self.assertEqual([{text_of(r) for r in some} for some in results], [{"0\n"}, {"1\n"}])

    async def test_nul_characters(self):
        async with self.client() as client:
            result = await client.call_tool("file_put", {"path": "n", "content": "a\0b"})
            self.assertEqual(text_of(result), "wrote 3 bytes to n")
            self.assertEqual(text_of(await client.call_tool("file_get", {"path": "n"})), "a\0b")
            result = await client.call_tool("session_execute", {"code": "print('\\0'); open('n').read()"})
            self.assertEqual(text_of(result), "\0\n'a\\x00b'\n")
            result = await client.call_tool("run_python", {"code": "1\0"})
            self.assertIn("null bytes", text_of(result))
            result = await client.call_tool("file_get", {"path": "n\0x"})
            self.assertIn("'path' contains a NUL", text_of(result))

    async def test_large_messages(self):
        text = "x" * (5 << 20)
        async with self.client({"limits": {"output": "8M"}}) as client:
            result = await client.call_tool("run_python", {"code": f"len({text!r})"})
            self.assertEqual(text_of(result), f"{5 << 20}\n")
            result = await client.call_tool("run_python", {"code": "print('y' * (5 << 20))"})
            self.assertEqual(len(result.structured_content["stdout"]), (5 << 20) + 1)
            self.assertLess(len(text_of(result)), 70_000)

    async def test_overload(self):
        async with self.client({"jobs": 4, "sessions": 2}) as client:
            calls = [asyncio.create_task(client.call_tool(
                "run_python", {"code": "import asyncio; await asyncio.sleep(50)"}))
                for _ in range(20)]
            for call, _ in zip(asyncio.as_completed(calls), range(16)):
                result = await call
                self.assertTrue(result.is_error and "too much to do" in text_of(result))
            left = [call for call in calls if not call.done()]
            self.assertEqual(len(left), 4)
            for call in left:
                call.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            while (await client.call_tool("run_python", {"code": "1"})).is_error:
                pass  # until a cancelled one has ended
            for name, good in (("a", True), ("b", True), ("c", False), ("a", True)):
                result = await client.call_tool("session_execute", {"code": "1", "session": name})
                self.assertEqual(not result.is_error, good, name)

    async def test_a_store(self):
        config = {"store": {"directory": str(self.folder / "store")}}
        async with self.client(config) as one, self.client(config) as two:
            await one.call_tool("session_execute", {"code": "x = 1"})
            result = await two.call_tool("session_execute", {"code": "x += 1\nx"})
            self.assertEqual(text_of(result), "2\n")
            result = await one.call_tool("session_execute", {"code": "x"})
            self.assertEqual(text_of(result), "2\n")
            started = asyncio.Event()

            async def progress(done, total, message):
                started.set()
            task = asyncio.create_task(one.call_tool("session_execute", {
                "code": "print('go', flush=True)\nimport asyncio; await asyncio.sleep(100)",
                "timeout": 1}, progress_callback=progress))
            await asyncio.wait_for(started.wait(), 30)
            result = await two.call_tool("session_execute", {"code": "x"})
            self.assertIn("another server is using session 'default'", text_of(result))
            await task
        async with self.client(config) as three:
            result = await three.call_tool("session_execute", {"code": "x"})
            self.assertEqual(text_of(result), "2\n")


class McpModern(Mcp):
    mode = "2026-07-28"


class McpAuto(WithServer):
    mode = "auto"

    async def test_discovery(self):
        async with self.client() as client:
            self.assertEqual(client.server_info.name, "eryx")
            self.assertEqual(text_of(await client.call_tool("run_python", {"code": "7"})), "7\n")


class OverHttp(WithServer):
    """The same over HTTP."""

    @contextlib.asynccontextmanager
    async def client(self, config=None, **options):
        server = Server(command="mcp", config=config)
        self.addCleanup(server.stop)
        headers = {"Authorization": "Bearer " + TOKEN}
        async with create_mcp_http_client(headers=headers) as http:
            transport = streamable_http_client(f"http://127.0.0.1:{server.port}/mcp", http_client=http)
            async with Client(transport, mode=self.mode, **options) as client:
                yield client


class McpHttp(OverHttp, Mcp):
    pass


class McpHttpModern(OverHttp, Mcp):
    mode = "2026-07-28"


class Http(unittest.TestCase):
    def setUp(self):
        self.server = Server(command="mcp")
        self.addCleanup(self.server.stop)

    def post(self, message, **headers):
        return self.server.ask("POST", "/mcp", message, **headers)

    def test_clients(self):
        begin = {"jsonrpc": "2.0", "id": 1, "method": "initialize",
                 "params": {"protocolVersion": "2025-06-18"}}
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        status, body, headers = self.post(begin)
        self.assertEqual((status, body["result"]["protocolVersion"]), (200, "2025-06-18"))
        session = {"Mcp_Session_Id": headers["Mcp-Session-Id"]}
        self.assertEqual(self.post(ping, **session)[1], {"jsonrpc": "2.0", "id": 1, "result": {}})
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        self.assertEqual(self.post(note, **session)[0], 202)
        self.assertEqual(self.server.ask("DELETE", "/mcp", **session)[0], 204)
        self.assertEqual(self.post(ping, **session)[0], 404)
        self.assertEqual(self.server.ask("DELETE", "/mcp", **session)[0], 404)
        self.assertEqual(self.post(ping)[0], 200)
        self.assertEqual(self.server.ask("GET", "/mcp")[0], 405)
        self.assertEqual(self.post("nonsense")[0], 400)
        self.assertEqual(self.post("[]")[0], 400)
        self.assertEqual(self.post(ping, Authorization="Bearer wrong")[0], 401)
        for authorization in ("Bearer wrong", "Bearer", "", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"):
            self.assertEqual(self.post(ping, Authorization=authorization)[0], 401, authorization)
        for origin in ("https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example:80",
                       "null", "http://evil.example/?http://localhost", "file://", "http://localhost@evil.example"):
            self.assertEqual(self.post(ping, Origin=origin)[0], 403, origin)
        for host in ("evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "", "169.254.169.254"):
            self.assertEqual(self.post(ping, Host=host)[0], 403, host)
        for origin in ("http://localhost:3000", "http://127.0.0.1", "http://[::1]:80"):
            self.assertEqual(self.post(ping, Origin=origin)[0], 200, origin)
        self.assertEqual(self.post("x" * (33 << 20))[0], 413)
        self.assertEqual(self.server.ask("POST", "/v1/run", {"code": "1"})[0], 404)

    def test_only_on_loopback(self):
        done = subprocess.run([eryx(), "mcp", "--http", "0.0.0.0:0"], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("only on loopback", done.stderr)


class Messages(unittest.TestCase):
    def talk(self, *lines, config=None, arguments=()):
        """Answers by id."""
        data = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
        done = subprocess.run([eryx(), "mcp", *arguments], input=data, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        return {answer.get("id"): answer for answer in answers}

    def test_odd_messages(self):
        answers = self.talk("not json\n", "\n", "[]\n", '{"jsonrpc": "1.0", "id": 1}\n',
                            {"jsonrpc": "2.0", "id": 2, "method": "nothing/here"},
                            {"jsonrpc": "2.0", "id": 3, "method": "ping"},
                            {"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {}},
                            {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": []},
                            {"jsonrpc": "2.0", "id": 6, "method": "initialize",
                             "params": {"protocolVersion": "1999-01-01"}},
                            {"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {
                                "_meta": {"io.modelcontextprotocol/protocolVersion": "2999-01-01"}}},
                            {"jsonrpc": "2.0", "method": "notifications/cancelled"},
                            {"jsonrpc": "2.0", "id": 8, "result": {}})
        self.assertEqual(answers[2]["error"]["code"], -32601)
        self.assertEqual(answers[3]["result"], {})
        self.assertEqual(answers[4]["error"]["code"], -32602)
        self.assertEqual(answers[6]["result"]["protocolVersion"], "2025-11-25")
        self.assertEqual(answers[7]["error"]["code"], -32022)
        self.assertIn(None, answers)
        self.assertNotIn(8, answers)

    def test_hostile_messages(self):
        deep = '{"jsonrpc": "2.0", "id": 10, "method": "ping", "params": ' + '{"a": ' * 5000 + "1" + "}" * 5001 + "\n"
        call = {"jsonrpc": "2.0", "method": "tools/call"}
        answers = self.talk(
            deep, '"\ud800"\n'.encode("utf-8", "surrogatepass").decode("latin-1"), "\0\0\n", "[[[[" * 1000 + "\n",
            '{"jsonrpc": "2.0", "id": 11, "id": 12, "method": "ping"}\n',
            '{"jsonrpc": "2.0", "id": 1e400, "method": "ping"}\n', "null\n", "5\n", "{}\n", '{"jsonrpc": "2.0", "id": 2}\n',
            *({"jsonrpc": "2.0", "id": bad, "method": "ping"} for bad in ([1], {"a": 1}, True)),
            {"jsonrpc": "2.0", "id": "i" * 100_000, "method": "ping"},
            {"jsonrpc": "2.0", "id": 20, "method": ["ping"]}, {"jsonrpc": "2.0", "id": 21, "method": "p" * 100_000},
            {**call, "id": 22, "params": {"name": "run_python", "arguments": []}},
            {**call, "id": 23, "params": {"name": ["run_python"], "arguments": {}}},
            {**call, "id": 24, "params": {"name": "run_python", "arguments": {"code": "1", "timeout": 1e300}}},
            {**call, "id": 25, "params": {"name": "run_python", "arguments": {"code": "25"},
                                          "_meta": {"progressToken": {"a": 1}}}},
            {**call, "id": 26, "params": {"name": "run_python", "arguments": {"code": "26"}, "_meta": []}},
            {"jsonrpc": "2.0", "method": "no/such/notification", "params": 7},
            *({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
              for params in ({"requestId": 999}, {"requestId": [1]}, [], {"requestId": None}, "x")),
            {"jsonrpc": "2.0", "id": 30, "method": "logging/setLevel", "params": {"level": "loud"}},
            {"jsonrpc": "2.0", "id": 31, "method": "ping"})
        self.assertEqual(answers[31]["result"], {})
        self.assertEqual(answers["i" * 100_000]["result"], {})
        self.assertTrue(answers[24]["result"]["isError"], answers[24])
        for number, code in ((2, -32600), (20, -32600), (21, -32601), (22, -32602), (23, -32602), (30, -32602)):
            self.assertEqual(answers[number]["error"]["code"], code, answers[number])
            self.assertLess(len(answers[number]["error"]["message"]), 1000)
        self.assertEqual([answers[number]["result"]["content"][0]["text"] for number in (25, 26)], ["25\n", "26\n"])

    def test_input_that_ends_within_a_message(self):
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "run_python", "arguments": {"code": "import time; time.sleep(0.2); 5"}}}
        answers = self.talk(call, '{"jsonrpc": "2.0", "id": 2, "method": "pi')
        self.assertEqual(answers[1]["result"]["content"][0]["text"], "5\n")
        self.assertEqual(answers[None]["error"]["code"], -32700)

    def test_answers_after_the_end_of_input(self):
        call = {"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {
            "name": "run_python", "arguments": {"code": "import time; time.sleep(0.3); 5"}}}
        answers = self.talk(json.dumps(call))  # no newline at the end
        self.assertEqual(answers["a"]["result"]["content"][0]["text"], "5\n")

    def test_a_file_as_input(self):
        with tempfile.TemporaryFile("w+") as file:
            file.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
            file.seek(0)
            done = subprocess.run([eryx(), "mcp"], stdin=file, capture_output=True, text=True,
                                  timeout=60)
        self.assertEqual(json.loads(done.stdout), {"jsonrpc": "2.0", "id": 1, "result": {}})

    def test_a_client_that_goes_away(self):
        process = subprocess.Popen([eryx(), "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "run_python", "arguments": {"code": "while True: pass"}}}
        process.stdin.write((json.dumps(call) + "\n").encode())
        process.stdin.close()
        process.stdout.close()
        process.wait(30)  # not the 60 s of the limit

    def test_a_long_message(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"limits": {"request": "1K"}}')
            file.flush()
            answers = self.talk('"' + "x" * 3000 + '"\n', {"jsonrpc": "2.0", "id": 1, "method": "ping"},
                                arguments=["--config", file.name])
        self.assertIn("longer than", answers[None]["error"]["message"])
        self.assertEqual(answers[1]["result"], {})

    def test_configurations(self):
        for text, told in (("{", "line 1"), ("[]", "must be a JSON object"),
                           ('{"session": 5}', 'did you mean "sessions"?'),
                           ('{"limits": {"timeout": 5}}', '"limits.timeout" must be a duration'),
                           ('{"limits": {"memory": "5G"}}', '"limits.memory" must be a size'),
                           ('{"workers": 0}', '"workers" must be a whole number'),
                           ('{"store": {"folder": "x"}}', 'unknown key "folder"')):
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write(text)
                file.flush()
                done = subprocess.run([eryx(), "mcp", "--config", file.name], capture_output=True,
                                      text=True, stdin=subprocess.DEVNULL, timeout=60)
            self.assertEqual(done.returncode, 2, text)
            self.assertIn(told, done.stderr)


if __name__ == "__main__":
    main()
