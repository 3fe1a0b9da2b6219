"""Where the parts of the SDK are: the folder that `make sdk` makes.

    tools/       these programs           zig          the pinned compiler (a link)
    include/     headers of CPython 3.14 with the sandbox's pyconfig.h; missing: limited API only
    limited/     headers good for the limited API, always there
    headers/     what the headers of the C library lack
    c++/         headers of libc++
    lib/         the libraries in the runtime, to link against; libcompiler_rt.a
    sysconfig/   what Python's own build tools ask for; meson.ini what meson asks for
"""
import json
from pathlib import Path


class SdkError(Exception):
    pass


class Sdk:
    suffix = ".cpython-314-wasm32-wasi.so"

    def __init__(self, root):
        self.root = Path(root).resolve()
        self.zig = self.root / "zig" / "zig"
        self.tools = self.root / "tools"
        self.libraries = self.root / "lib"
        self.builtins = self.libraries / "libcompiler_rt.a"
        self.exceptions = self.libraries / "libexceptions.a"
        self.meson = self.root / "meson.ini"
        self.own_headers = self.root / "headers"
        self.cxx_headers = self.root / "c++"
        self.sysconfig = self.root / "sysconfig"
        if not self.zig.exists() or not self.builtins.exists():
            raise SdkError(f"{self.root} is not complete; run `make sdk` in the eryx source tree")

    def has_full_headers(self):
        return (self.root / "include" / "Python.h").exists()

    def headers(self):
        return self.root / ("include" if self.has_full_headers() else "limited")

    def versions(self):
        return json.loads((self.root / "versions.json").read_text())

    def environment(self):
        """Variables for zig: its caches are the SDK's own."""
        cache = str(self.root / "cache")
        return {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
