"""Extension modules in the sandbox: building them with the SDK, and programs that import them."""
import base64
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SUFFIX = ".cpython-314-wasm32-wasi.so"


class Sandbox:
    """Runs programs with modules beside them. cache: where compiled code is kept ("" not at all)."""

    def __init__(self, eryx, sdk, cache):
        self.eryx, self.sdk = eryx, sdk
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "ERYX_SDK": str(sdk)}

    def build(self, source, output, language="cc"):
        done = subprocess.run([self.eryx, "sdk", language, "-shared", "-Wall", "-Wextra", "-Werror",
                               source, "-o", output], env=self.environment, capture_output=True,
                              text=True)
        if done.returncode:
            raise AssertionError(f"{source}: {done.stderr}")
        return Path(output).read_bytes()

    def run(self, code, modules=None, options=(), timeout=60):
        """modules: names of files -> bytes, put into /tmp/modules, which is on sys.path."""
        lines = ["import base64, os, sys", "os.mkdir('/tmp/modules')",
                 "sys.path.insert(0, '/tmp/modules')"]
        for name, data in (modules or {}).items():
            text = base64.b64encode(data).decode()
            lines += [f"os.makedirs(os.path.dirname('/tmp/modules/{name}'), exist_ok=True)",
                      f"open('/tmp/modules/{name}', 'wb').write(base64.b64decode('{text}'))"]
        program = "\n".join([*lines, "del base64, os, sys", code])
        return subprocess.run([self.eryx, "run", *options, "-"], input=program, text=True,
                              env=self.environment, capture_output=True, timeout=timeout)


def prepare_sdk(sdk):
    """Without the network: limited API, no headers of libc++, unless `make sdk` fetched them."""
    subprocess.run([sys.executable, ROOT / "sdk" / "make", "--no-fetch", sdk], check=True)
