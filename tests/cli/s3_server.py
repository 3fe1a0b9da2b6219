#!/usr/bin/env python3
"""An S3-compatible server that is not ours, for tests: moto, behind a check of each request's signature by botocore.

Prints its URL; ends with its standard input, each line of which is the name of an object to damage. Requests are answered one after the other, because moto's conditional
writes are not made for threads.
"""
import hashlib
import io
import logging
import re
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build/deps/s3"))

from botocore.auth import S3SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
from moto.moto_server.werkzeug_app import create_backend_app  # noqa: E402
from werkzeug import Request, Response  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

ACCESS_KEY, SECRET_KEY, SESSION_TOKEN = "AKIDEXAMPLE", "a/secret+key", "a-session-token"
FIELDS = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
                    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$")


def refuse(code):
    return Response(f"<Error><Code>{code}</Code></Error>", 403, content_type="application/xml")


def wrong(request):
    """The code of what is wrong with the signature, or None."""
    found = FIELDS.match(request.headers.get("Authorization", ""))
    if not found:
        return "AccessDenied"
    key, date, region, service, names, signature = found.groups()
    names = names.split(";")
    if key != ACCESS_KEY:
        return "InvalidAccessKeyId"
    if hashlib.sha256(request.get_data()).hexdigest() != \
            request.headers.get("X-Amz-Content-SHA256"):
        return "XAmzContentSHA256Mismatch"
    # What decides what happens must be signed.
    must = {"host", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}
    must |= {name for name in ("if-match", "if-none-match") if name in request.headers}
    if not must <= set(names) or request.headers.get("X-Amz-Security-Token") != SESSION_TOKEN:
        return "AccessDenied"
    again = AWSRequest(request.method, request.url, {name: request.headers[name] for name in names},
                       request.get_data())
    again.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), service, region)
    canonical = signer.canonical_request(again)
    expected = signer.signature(signer.string_to_sign(again, canonical), again)
    return None if expected == signature and date == request.headers["X-Amz-Date"][:8] \
        else "SignatureDoesNotMatch"


class Checked:
    def __init__(self, application):
        self.application, self.lock = application, threading.Lock()

    def __call__(self, environment, start):
        request = Request(environment)
        with self.lock:
            code = wrong(request)
            if code:
                return refuse(code)(environment, start)
            environment["wsgi.input"].seek(0)
            return Response.from_app(self.application, environment)(environment, start)


class Whole:
    """The body is read once, for both."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environment, start):
        length = int(environment.get("CONTENT_LENGTH") or 0)
        environment["wsgi.input"] = io.BytesIO(environment["wsgi.input"].read(length))
        return self.application(environment, start)


def damage(application, name):
    with application.test_client() as client:
        done = client.put("/sessions/" + name, data=b"nonsense", headers={
            "Host": "localhost", "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request"})
    assert done.status_code == 200, done.data
    print("damaged", flush=True)


def main():
    application = create_backend_app("s3")
    with application.test_client() as client:
        assert client.put("/sessions", headers={"Host": "localhost"}).status_code == 200
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = make_server("127.0.0.1", port, Whole(Checked(application)), threaded=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    for line in sys.stdin:
        damage(application, line.strip())


main()
