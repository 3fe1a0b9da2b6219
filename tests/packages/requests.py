import requests
from requests import adapters, cookies, models, structures

session = requests.Session()
session.headers.update({"X-Sample": "yes", "user-agent": "test"})
session.params = {"page": 1}
session.auth = ("user", "pass")
session.cookies.set("flavour", "oat", domain="example.org", path="/")
print(sorted(session.headers.items()))
request = requests.Request("POST", "http://example.org/a b?x=1", params={"q": ["ä", "2"]}, json={"k": [1, None]})
prepared = session.prepare_request(request)
print(prepared.method, prepared.url)
print(prepared.headers["Content-Type"], prepared.headers["Cookie"], prepared.headers["authorization"], prepared.body)
files = requests.Request("PUT", "https://example.org/", files={"f": ("name.txt", b"data")}).prepare()
print(files.headers["Content-Type"].partition(";")[0], b'filename="name.txt"' in files.body)
print(type(session.get_adapter("https://x/")).__name__, structures.CaseInsensitiveDict(A=1)["a"])


class Fake(adapters.BaseAdapter):
    """Answers without a network."""

    def send(self, request, **options):
        response = models.Response()
        response.request, response.url = request, request.url
        if request.url.endswith("/old"):
            response.status_code, response.headers["location"] = 302, "fake://host/new"
        else:
            response.status_code, response._content = 200, b'{"path": "%s"}' % request.path_url.encode()
            response.headers["content-type"] = "application/json; charset=utf-8"
        response.raw = type("Raw", (), {"read": lambda *a, **k: b"", "release_conn": lambda *a: None,
                                        "_original_response": None})()
        return response

    def close(self):
        pass


session.mount("fake://", Fake())
session.params = {}
answer = session.get("fake://host/old")
print(answer.status_code, answer.json(), [r.status_code for r in answer.history], answer.encoding, answer.ok)
try:
    requests.get("http://example.org/", timeout=1)
except requests.ConnectionError as error:
    print(type(error).__name__)
try:
    requests.get("example.org")
except requests.exceptions.MissingSchema as error:
    print(error)
