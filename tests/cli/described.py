"""The description of `eryx serve`, cli/server/openapi.json, against what the server does."""
import json
import re
import sys
from pathlib import Path

DEPS = Path(__file__).resolve().parents[2] / "build/deps/mcp"  # test_mcp.py takes the same
sys.path.insert(0, str(DEPS))
try:
    import jsonschema
except ImportError as error:
    sys.exit(f"jsonschema is not in {DEPS} ({error}): run deps/fetch --tests")

DESCRIPTION = json.loads((Path(__file__).resolve().parents[2] / "cli/server/openapi.json").read_text())
# The last part of a path may have '/'.
PATHS = {path: re.compile(re.sub(r"\\\{session\\\}", "[^/]+", re.sub(r"/\\\{path\\\}", "(/.*)?", re.escape(path))) + "$")
         for path in DESCRIPTION["paths"]}


def operation(method, path):
    for template, pattern in PATHS.items():
        if pattern.match(path.split("?")[0]):
            return DESCRIPTION["paths"][template].get(method.lower())
    return None


def check(method, path, status, kind=None, data=b""):
    """Every answer that a test gets must be one that is described."""
    found = operation("GET" if method == "HEAD" else method, path)
    statuses = set(found["responses"]) if found else {"400", "401", "403", "404", "405"}
    statuses |= {"204"} if method == "OPTIONS" else set()  # what browsers ask before
    assert str(status) in statuses, f"{method} {path}: status {status} is not described: {sorted(statuses)}"
    response = found["responses"].get(str(status), {}) if found else {}
    response = resolve(response["$ref"]) if "$ref" in response else response
    schema = response.get("content", {}).get(kind, {}).get("schema")
    if schema and data and kind == "application/json":
        # References are to the whole description.
        jsonschema.Draft202012Validator({**schema, "components": DESCRIPTION["components"]}).validate(json.loads(data))


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def resolve(reference):
    value = DESCRIPTION
    for name in reference.removeprefix("#/").split("/"):
        value = value[name]
    return value
