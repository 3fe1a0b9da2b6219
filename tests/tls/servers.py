"""nginx with a few certificates, good and bad, and an HTTPS server that cuts its answers in pieces.

`Setup(folder)` is a context manager: certificates, ports ({name: port}) and the log of what nginx received
are in it. Everything listens on 127.0.0.1 only and ends with it."""
import base64
import gzip
import http.server
import os
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

NAMES = ["api.test", "www.test", "bad.test"]
LOG_MARK = "/log-is-written"

CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format received '$request_method $request_uri $http_authorization $request_body';
  access_log {folder}/received.log received;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 100000;
  default_type text/plain;
  server {{
    listen 127.0.0.1:{https} ssl; listen 127.0.0.1:{http}; server_name api.test;
    ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ return 200 "$request_method $request_uri auth=$http_authorization\\n"; }}
    location /encoding {{ return 200 "[$http_accept_encoding]\\n"; }}
    location /away {{ return 302 https://www.test:{www}/arrived; }}
    location /post {{ client_body_in_single_buffer on; proxy_pass http://127.0.0.1:{http}/body; }}
    location /body {{ return 200 "taken\n"; }}
    location /gzip {{ gzip on; gzip_min_length 1; gzip_types *; alias {folder}/; }}
    location /files/ {{ alias {folder}/; }}
  }}
  server {{
    listen 127.0.0.1:{www} ssl; server_name www.test;
    ssl_certificate {folder}/www.pem; ssl_certificate_key {folder}/www.key;
    location / {{ return 200 "www $request_uri auth=$http_authorization\\n"; }}
  }}
  server {{
    listen 127.0.0.1:{expired} ssl;
    ssl_certificate {folder}/expired.pem; ssl_certificate_key {folder}/expired.key;
    location / {{ return 200 "expired\\n"; }}
  }}
  server {{
    listen 127.0.0.1:{selfsigned} ssl;
    ssl_certificate {folder}/selfsigned.pem; ssl_certificate_key {folder}/selfsigned.key;
    location / {{ return 200 "self-signed\\n"; }}
  }}
  server {{
    listen 127.0.0.1:{old} ssl;
    ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key;
    ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;
    location / {{ return 200 "old\\n"; }}
  }}
}}
"""


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=Test authority", "-addext", "keyUsage=critical,keyCertSign")
    for name, hosts, days in (("good", "DNS:api.test,IP:127.0.0.1", "2"),
                              ("www", "DNS:www.test", "2"), ("expired", "DNS:api.test", "-1")):
        openssl(folder, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")
        (folder / "ext").write_text(f"subjectAltName={hosts}\nauthorityKeyIdentifier=keyid\n")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-days", days, "-extfile", "ext", "-out", f"{name}.pem")
    openssl(folder, "req", "-x509", *key, "-keyout", "selfsigned.key", "-out", "selfsigned.pem",
            "-days", "2", "-subj", "/CN=api.test", "-addext", "subjectAltName=DNS:api.test")


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


FORMS = {
    "utf16": lambda text: text.encode("utf-16-le"),
    "utf16big": lambda text: text.encode("utf-16-be"),
    "hex": lambda text: text.encode().hex().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64-1": lambda text: base64.b64encode(b"x" + text.encode()),
    "base64-2": lambda text: base64.urlsafe_b64encode(b"xy" + text.encode()),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "percent-lower": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()).encode(),
    "escapes": lambda text: "".join(f"\\u{ord(c):04x}" for c in text).encode(),
    "escapes-upper": lambda text: "".join(f"\\u{ord(c):04X}" for c in text).encode(),
    # Although it was not asked for.
    "gzip": lambda text: gzip.compress(text.encode()),
}


class Pieces(http.server.BaseHTTPRequestHandler):
    """Sends the Authorization header back: /chunks/N in chunks of N bytes, each a write of its own,
    /writes/N in such writes with a Content-Length; /forms/NAME in one of FORMS; /request/ sends the whole head
    of the request back."""

    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def log_message(self, *_):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        body = f"you sent {self.headers['Authorization']}, thanks".encode()
        _, kind, size = self.path.split("/")
        if kind == "forms":
            return self.answer(FORMS[size](self.headers["Authorization"]))
        if kind == "request":
            return self.answer(f"{self.requestline}\n{self.headers}".encode())
        pieces = [body[i:i + int(size)] for i in range(0, len(body), int(size))]
        self.send_response(200)
        if kind == "chunks":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if kind == "chunks" else piece)
        if kind == "chunks":
            self.wfile.write(b"0\r\n\r\n")


class Setup:
    """value: what a server without TLS (`teller`) gives away to whoever writes anything to it."""

    def __init__(self, folder, value=""):
        self.folder = folder
        self.value = value
        self.log = folder / "received.log"
        names = ["https", "http", "www", "expired", "selfsigned", "old"]
        self.ports = dict(zip(names, free_ports(len(names))))

    def __enter__(self):
        make_certificates(self.folder)
        (self.folder / "kilobyte").write_bytes(b"x" * 1024)
        (self.folder / "megabyte").write_bytes(bytes(range(256)) * 4096)
        self.start_pieces()
        self.start_teller()
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.folder, **self.ports))
        self.nginx = subprocess.Popen(["nginx", "-c", config, "-p", self.folder],
                                      stderr=subprocess.PIPE, text=True)
        self.wait_for(lambda: socket.create_connection(("127.0.0.1", self.ports["http"]), 1).close())
        return self

    def start_pieces(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pieces)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "good.pem", self.folder / "good.key")
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.ports["pieces"] = server.server_port

    def start_teller(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.ports["teller"] = listener.getsockname()[1]

        def serve():
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(f"the key is {self.value}, really\n".encode())

        threading.Thread(target=serve, daemon=True).start()

    def wait_for(self, attempt):
        deadline = time.monotonic() + 20
        while True:
            try:
                return attempt()
            except OSError:
                if self.nginx.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("nginx did not start:\n" + self.nginx.stderr.read()) from None
                time.sleep(0.02)  # nothing tells when it listens

    def empty_log(self):
        if self.log.exists():
            os.truncate(self.log, 0)

    def settle_log(self):
        """Waits until what was asked before is in the log: nginx writes a line after the answer."""
        with socket.create_connection(("127.0.0.1", self.ports["http"])) as connection:
            connection.sendall(f"GET {LOG_MARK} HTTP/1.0\r\n\r\n".encode())
            while connection.recv(4096):
                pass
        deadline = time.monotonic() + 20
        while LOG_MARK not in self.log.read_text() and time.monotonic() < deadline:
            time.sleep(0.01)

    def __exit__(self, *_):
        self.nginx.terminate()
        self.nginx.wait()
        self.nginx.stderr.close()
