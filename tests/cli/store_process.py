"""Stores of sessions that are not ours, as processes: Redis, and an S3-compatible server that checks signatures."""
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REDIS_PASSWORD = "p:ss/word@1"
REDIS_PASSWORD_ENCODED = "p%3Ass%2Fword%401"
S3_KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a/secret+key",
           "AWS_SESSION_TOKEN": "a-session-token"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def say_until(process, pattern):
    """The first line of its output that matches."""
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"the store does not start: {said}")


class Redis:
    environment = {}

    def __init__(self, folder, tls=None):
        self.folder, self.port, self.tls = folder, free_port(), tls
        self.start()

    def start(self):
        ports = ["--port", str(self.port)]
        if self.tls:
            ports = ["--port", "0", "--tls-port", str(self.port), "--tls-cert-file", f"{self.tls}.pem",
                     "--tls-key-file", f"{self.tls}.key", "--tls-auth-clients", "no"]
        self.process = subprocess.Popen(
            [shutil.which("redis-server"), *ports, "--bind", "127.0.0.1", "--dir", str(self.folder),
             "--requirepass", REDIS_PASSWORD, "--save", "", "--databases", "4"],
            stdout=subprocess.PIPE, text=True)
        say_until(self.process, "Ready to accept connections")

    def url(self, options="", password=REDIS_PASSWORD_ENCODED):
        scheme = "rediss" if self.tls else "redis"
        return f"{scheme}://:{password}@localhost:{self.port}/2?{options}"

    def command(self, *arguments):
        done = subprocess.run(["redis-cli", "-p", str(self.port), "-a", REDIS_PASSWORD, "-n", "2",
                               "--no-auth-warning", *arguments], capture_output=True, text=True)
        return done.stdout.strip()

    def damage(self, session):
        assert self.command("HSET", f"eryx:{{{session}}}", "mark", "m", "data", "nonsense") in ("0", "2")

    def stop(self):
        self.process.kill()
        self.process.communicate()


class RedisCluster:
    """Three nodes, each with a third of the slots."""
    environment = {}

    def __init__(self, folder):
        self.ports, self.processes = [free_port() for _ in range(3)], []
        for port in self.ports:
            place = Path(folder, str(port))
            place.mkdir()
            self.processes.append(subprocess.Popen(
                [shutil.which("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(place),
                 "--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--save", "",
                 "--requirepass", REDIS_PASSWORD, "--masterauth", REDIS_PASSWORD],
                stdout=subprocess.PIPE, text=True))
            say_until(self.processes[-1], "Ready to accept connections")
        done = subprocess.run(["redis-cli", "-a", REDIS_PASSWORD, "--no-auth-warning", "--cluster", "create",
                               *(f"127.0.0.1:{port}" for port in self.ports), "--cluster-yes"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        for node in range(3):  # each has to hear of the others
            end = time.monotonic() + 30
            while "cluster_state:ok" not in self.command(node, "CLUSTER", "INFO"):
                assert time.monotonic() < end, "the cluster does not come up"
                time.sleep(0.05)

    def url(self, node=0, path="", options=""):
        return f"redis://:{REDIS_PASSWORD_ENCODED}@localhost:{self.ports[node]}{path}?{options}"

    def command(self, node, *arguments):
        done = subprocess.run(["redis-cli", "-p", str(self.ports[node]), "-a", REDIS_PASSWORD,
                               "--no-auth-warning", *map(str, arguments)], capture_output=True, text=True)
        return done.stdout.strip()

    def stop(self):
        for process in self.processes:
            process.kill()
            process.communicate()


class S3:
    environment = S3_KEYS

    def __init__(self, folder):
        self.port = free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, HERE / "s3_server.py", str(self.port)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        say_until(self.process, "http://")

    def url(self, options="", password=None):
        return f"s3://sessions/fleet/a?endpoint=http://127.0.0.1:{self.port}&{options}"

    def damage(self, session):
        self.process.stdin.write(f"fleet/a/{session}.session\n")
        self.process.stdin.flush()
        say_until(self.process, "damaged")

    def stop(self):
        self.process.kill()
        self.process.communicate()


def environment_of(store):
    return {**os.environ, **store.environment}
