"""A running `eryx serve` or `eryx mcp --http`, and plain HTTP to it."""
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

import described
from suite import eryx

TOKEN = "a-token-for-the-tests"


class Server:
    def __init__(self, *arguments, config=None, command="serve", token=TOKEN,
                 environment=None, line=None):
        self.folder = tempfile.TemporaryDirectory(prefix="eryx-serve-")
        self.command = command
        listen = "--listen" if command == "serve" else "--http"
        line = [str(eryx()), *(line or (command, listen, "127.0.0.1:0", *arguments))]
        if config is not None:
            path = Path(self.folder.name, "config.json")
            path.write_text(json.dumps(config))
            line += ["--config", str(path)]
        environment = dict(environment or os.environ)
        if token:
            environment["ERYX_TOKEN"] = token
        self.process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=environment)
        self.said = ""
        while not (found := re.search(r"listening on http://127\.0\.0\.1:(\d+)", self.said)):
            line = self.process.stderr.readline()
            if not line:
                raise AssertionError(f"the server does not start: {self.said}")
            self.said += line
        self.port = int(found[1])

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method, path, body=None, connection=None, **headers):
        """(status, body, headers); the body is parsed if it is JSON."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("Authorization", "Bearer " + TOKEN)
        own = connection or self.connect()
        own.request(method, path, body, headers)
        response = own.getresponse()
        data = response.read()
        if not connection:
            own.close()
        if self.command == "serve":
            described.check(method, path, response.status, response.headers.get("Content-Type"), data)
        if response.headers.get("Content-Type") == "application/json" and data:
            data = json.loads(data)
        return response.status, data, response.headers

    def metric(self, name):
        text = self.ask("GET", "/metrics")[1].decode()
        return float(re.search(rf"^eryx_{re.escape(name)} (\S+)$", text, re.M)[1])

    def stop(self, number=signal.SIGTERM):
        """The exit code, and all that was said."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            _, rest = self.process.communicate(timeout=60)
        finally:
            self.process.kill()
            self.folder.cleanup()
        return self.process.returncode, self.said + rest


def events(text):
    """The events of a stream: (name, data)."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            found.append((fields.get("event", "message"), json.loads(fields["data"])))
    return found
