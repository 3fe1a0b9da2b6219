"""The servers of the eryx command: requests a second over HTTP, and the round trip of an MCP call.

`eryx serve` is loaded by wrk on loopback. MCP is spoken here by hand, over pipes, so that the figure is the
server's and not that of a client library.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import binding

HERE = Path(__file__).resolve().parent
CONNECTIONS = 32
OVERLOAD_CONNECTIONS = 512
TOKEN = "a-token-for-measuring"
# The body, and what the summary of wrk lacks.
LUA = """
wrk.method = "POST"
wrk.body = '{"code": "x=1"}'
wrk.headers["Authorization"] = "Bearer %s"
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) other = 0; busy = 0; good = 0 end
function response(status, headers, body)
    if status == 200 then good = good + 1
    elseif status == 429 then busy = busy + 1
    else other = other + 1 end
end
function done(summary, latency, requests)
    local counts = {good = 0, busy = 0, other = 0}
    for _, thread in ipairs(threads) do
        for name in pairs(counts) do counts[name] = counts[name] + thread:get(name) end
    end
    local errors = summary.errors
    print(string.format('RESULT {"seconds": %%.6f, "good": %%d, "busy": %%d, "other": %%d, ' ..
        '"broken": %%d, "p50_ms": %%.3f, "p99_ms": %%.3f, "max_ms": %%.3f}',
        summary.duration / 1e6, counts.good, counts.busy, counts.other,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
"""


class Failed(Exception):
    pass


def wrk_is_here():
    return shutil.which("wrk") is not None


def load(url, folder, connections, seconds):
    script = Path(folder, "load.lua")
    script.write_text(LUA % TOKEN)
    done = subprocess.run(["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "60s", "-s",
                           script, url + "/v1/run"], capture_output=True, text=True)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    if done.returncode or not found:
        raise Failed(f"wrk: status {done.returncode}: {(done.stderr or done.stdout)[-500:]}")
    return json.loads(found[1])


class Server:
    def __init__(self, eryx, folder, config):
        path = Path(folder, "config.json")
        path.write_text(json.dumps(config))
        self.process = subprocess.Popen(
            [eryx, "serve", "--listen", "127.0.0.1:0", "--config", path], stderr=subprocess.PIPE,
            text=True, env={**os.environ, "ERYX_TOKEN": TOKEN})
        line = self.process.stderr.readline()
        found = re.search(r"listening on (http://\S+)", line)
        if not found:
            raise Failed(f"eryx serve does not start: {line}")
        self.url = found[1]

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=60)
        if self.process.returncode:
            raise Failed(f"eryx serve ended with {self.process.returncode}")


def http(eryx, seconds):
    """Figures at 32 connections, and what happens with far more work than is accepted."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(eryx, folder, {})
        load(server.url, folder, CONNECTIONS, 1)
        normal = load(server.url, folder, CONNECTIONS, seconds)
        server.stop()
        server = Server(eryx, folder, {"jobs": CONNECTIONS})
        overload = load(server.url, folder, OVERLOAD_CONNECTIONS, seconds)
        server.stop()
    for name, run in (("32 connections", normal), ("overload", overload)):
        if run["other"] or run["broken"]:
            raise Failed(f"{name}: {run['other']} other answers, {run['broken']} errors")
    return normal, overload


def peer(command, name, seconds):
    """The same load on a server with another Python behind it: what wrk says, or why not."""
    server = subprocess.Popen([*map(str, command), str(HERE / "http_peers.py"), name], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"listening on (http://\S+)", server.stdout.readline())
    try:
        if not found:
            return server.communicate(timeout=60)[1].strip()[-300:]
        with tempfile.TemporaryDirectory() as folder:
            load(found[1], folder, CONNECTIONS, 1)
            run = load(found[1], folder, CONNECTIONS, seconds)
        return run if not run["other"] and not run["broken"] else f"{run['other']} failed, {run['broken']} broken"
    finally:
        server.kill()
        server.communicate()


def peers(build, native, seconds):
    """name -> what wrk says, or why not."""
    found = {"native": peer(native, "native", seconds)}
    for name in binding.PEERS:
        python, version = binding.environment_of(build, name)
        found[name] = peer([python], name, seconds) if python else version
        if isinstance(found[name], dict):
            found[name]["version"] = version
    return found


class Mcp:
    """A client of `eryx mcp` over pipes."""

    def __init__(self, eryx):
        self.process = subprocess.Popen([eryx, "mcp"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=0)
        self.reader = os.fdopen(os.dup(self.process.stdout.fileno()), "rb")
        self.number = 0

    def ask(self, method, **params):
        self.number += 1
        message = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        answer = json.loads(self.reader.readline())
        if answer.get("id") != self.number or "result" not in answer:
            raise Failed(f"{method}: {answer}")
        return answer["result"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


def mcp(eryx, count):
    """Milliseconds of calls of run_python, one after the other."""
    client = Mcp(eryx)
    client.ask("initialize", protocolVersion="2025-11-25", capabilities={},
               clientInfo={"name": "bench", "version": "1"})
    samples = []
    for i in range(count + 50):
        start = time.perf_counter()
        result = client.ask("tools/call", name="run_python", arguments={"code": "x=1"})
        if i >= 50:
            samples.append((time.perf_counter() - start) * 1e3)
        if result["isError"]:
            raise Failed(f"run_python: {result}")
    client.close()
    return {"median": statistics.median(samples), "min": min(samples), "max": max(samples),
            "count": count}
