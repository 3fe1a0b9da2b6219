"""Checks the folders of examples/: each has a README, the data is what make_data.py makes, and a server starts as the
Kubernetes manifest says. The programs have suites of their own."""
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
TOOLS = ROOT / "build" / "deps" / "docs"
TIMEOUT = 60


def check_readmes():
    for folder in [EXAMPLES, *sorted(path for path in EXAMPLES.iterdir() if path.is_dir())]:
        if folder.name == "__pycache__":
            continue
        readme = folder / "README.md"
        text = readme.read_text() if readme.exists() else ""
        missing = [path.name for path in sorted(folder.iterdir()) if path.suffix in (".py", ".c", ".yaml")
                   and path.name not in text]
        if not text:
            yield f"{folder.relative_to(ROOT)} has no README.md"
        elif missing:
            yield f"{readme.relative_to(ROOT)} does not tell of {', '.join(missing)}"


def check_data():
    with tempfile.TemporaryDirectory(prefix="eryx-data-") as folder:
        shutil.copy(EXAMPLES / "data" / "make_data.py", folder)
        subprocess.run([sys.executable, "-B", "make_data.py"], cwd=folder, check=True, timeout=TIMEOUT)
        for name in ("orders.csv", "access.log"):
            if Path(folder, name).read_bytes() != (EXAMPLES / "data" / name).read_bytes():
                yield f"examples/data/{name} is not what make_data.py makes"


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def check_manifest(eryx):
    """Starts the container's command with files of this machine, and asks what the probes ask."""
    sys.path.insert(0, str(TOOLS))
    import yaml
    objects = {one["kind"]: one for one in
               yaml.safe_load_all((EXAMPLES / "kubernetes" / "eryx.yaml").read_text())}
    container = objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    with tempfile.TemporaryDirectory(prefix="eryx-manifest-") as folder:
        config = objects["ConfigMap"]["data"]["config.json"].replace('"/sessions/', f'"{folder}/')
        Path(folder, "config.json").write_text(config)
        Path(folder, "token").write_text("a-token-of-the-test\n")
        places = {"0.0.0.0:8080": "127.0.0.1:0", "/run/token/token": f"{folder}/token",
                  "/etc/eryx/config.json": f"{folder}/config.json"}
        unknown = [part for part in places if part not in container["args"]]
        if unknown:
            yield f"examples/kubernetes/eryx.yaml: its args lack {', '.join(unknown)}"
            return
        server = subprocess.Popen([eryx, *(places.get(part, part) for part in container["args"])],
                                  stderr=subprocess.PIPE, text=True)
        try:
            line = server.stderr.readline()
            if "http://" not in line:
                yield f"examples/kubernetes/eryx.yaml: eryx says {line.strip()}"
                return
            for probe in ("readinessProbe", "livenessProbe"):
                path = container[probe]["httpGet"]["path"]
                status = status_of(line.split()[-1].rstrip("/") + path)
                if status != 200:
                    yield f"examples/kubernetes/eryx.yaml: {path} answers {status}"
        finally:
            server.terminate()
            server.communicate(timeout=TIMEOUT)


def check(eryx):
    """(good checks, failures)."""
    good, failures = 0, []
    for found in (list(check_readmes()), list(check_data()), list(check_manifest(eryx))):
        good += not found
        failures += found
    return good, failures
