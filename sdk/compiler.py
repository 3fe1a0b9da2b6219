"""`eryx sdk cc` and `c++`: used like cc; the result of linking is an extension module.

Compiling is handed to zig's clang with the flags that a dynamic library for the sandbox needs. Linking
is wasm-ld -shared: whatever the runtime does not offer must be in the objects, or is an error.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # python -I leaves it out
from folder import Sdk, SdkError  # noqa: E402

TARGET = ["-target", "wasm32-wasi", "-mextended-const"]
# Not interposed: what a module defines is its own. Traps of undefined behaviour would end the
# sandbox; exceptions and setjmp have no support in the runtime.
FLAGS = ["-fPIC", "-g0", "-fvisibility=hidden", "-fno-sanitize=undefined", "-D_WASI_EMULATED_SIGNAL",
         "-D_WASI_EMULATED_GETPID", "-D_WASI_EMULATED_PROCESS_CLOCKS", "-D_WASI_EMULATED_MMAN"]
CXX_FLAGS = ["-fno-exceptions", "-nostdinc++", "-fvisibility-inlines-hidden"]
# How the libc++ in the runtime was configured; there is no __config_site beside the headers.
LIBCXX = {"ABI_VERSION": "2", "ABI_NAMESPACE": "__2", "HAS_THREADS": "1",
          "HAS_THREAD_API_PTHREAD": "1", "HAS_THREAD_API_EXTERNAL": "0", "HAS_THREAD_API_WIN32": "0",
          "HAS_THREAD_API_C11": "0", "HAS_MONOTONIC_CLOCK": "1", "HAS_TERMINAL": "0",
          "HAS_MUSL_LIBC": "1", "LIBC_NEWLIB": "0", "HAS_VENDOR_AVAILABILITY_ANNOTATIONS": "0",
          "HAS_FILESYSTEM": "1",
          "HAS_RANDOM_DEVICE": "1", "HAS_LOCALIZATION": "1", "HAS_UNICODE": "1",
          "HAS_WIDE_CHARACTERS": "1", "HAS_TIME_ZONE_DATABASE": "0",
          "HARDENING_MODE_DEFAULT": "_LIBCPP_HARDENING_MODE_NONE", "PSTL_BACKEND_SERIAL": None,
          "ASSERTION_SEMANTIC_DEFAULT": "_LIBCPP_ASSERTION_SEMANTIC_IGNORE"}
SOURCES = {".c", ".cc", ".cpp", ".cxx", ".C", ".c++", ".s", ".S", ".i", ".ii"}
LIMITED_API = "-DPy_LIMITED_API=0x030B0000"

# Options that keep the compiler from linking.
NO_LINK = {"-c", "-E", "-S", "-M", "-MM", "-fsyntax-only", "--version", "-v", "-V",
           "-dumpversion", "-dumpmachine", "-qversion", "--help", "-###"}
# Options of native builds that mean nothing here, with a value in the next argument or without.
IGNORED_PREFIXES = ("-mtune=", "-march=", "-mcpu=", "-fstack-protector", "-fstack-clash",
                    "-fcf-protection", "-flto", "-fno-lto", "-ffat-lto", "-specs=", "-g",
                    "-Wl,-z", "-Wl,--as-needed", "-Wl,-O", "-Wl,-Bsymbolic", "-Wl,--no-as-needed",
                    "-Wl,-rpath", "-Wl,-soname", "-Wl,--start-group", "-Wl,--end-group",
                    "-Wl,--no-undefined", "-Wl,--allow-shlib-undefined", "-Wl,--version-script")
IGNORED = {"-pthread", "-shared", "-fPIC", "-fpic", "-pipe", "-rdynamic", "-nostdlib", "-static",
           "-Wl,--strip-all", "-s"}
WITH_VALUE = {"-o", "-I", "-D", "-U", "-L", "-l", "-x", "-include", "-isystem", "-idirafter",
              "-iquote", "-MF", "-MT", "-MQ", "-Xlinker", "-u", "-T", "-soname"}
# What the runtime offers, in the order in which it was linked itself. The compiler's own functions
# come last: they have some of libc's, too.
LIBRARIES = ["libpython3.14.so", "libwasi-emulated-signal.so", "libwasi-emulated-getpid.so",
             "libwasi-emulated-process-clocks.so", "libwasi-emulated-mman.so", "libc++.so",
             "libc++abi.so", "libc.so"]
# Libraries that are in the runtime, or empty.
RUNTIME_LIBRARIES = {"c", "m", "dl", "pthread", "rt", "util", "stdc++", "c++", "c++abi", "gcc",
                     "gcc_s", "python3.14", "python3", "atomic", "unwind"}


def zig(sdk, *arguments):
    done = subprocess.run([sdk.zig, *arguments], env={**os.environ, **sdk.environment()})
    return done.returncode


def kept(argument):
    return argument not in IGNORED and not argument.startswith(IGNORED_PREFIXES)


def compile_command(sdk, language, arguments):
    # Before the C library's, which zig puts before what -isystem names.
    flags, last = [*TARGET, *FLAGS], ["-I", str(sdk.own_headers)]
    if language == "c++":
        flags += CXX_FLAGS
        flags += [f"-D_LIBCPP_{name}" + ("" if value is None else f"={value}")
                  for name, value in LIBCXX.items()]
        last[:0] = ["-I", str(sdk.cxx_headers / "libcxx"), "-I", str(sdk.cxx_headers / "libcxxabi")]
    if not any(argument.startswith("-O") for argument in arguments):
        flags.append("-O2")
    # After the caller's own folders: they may have another pyconfig.h to find first.
    flags += ["-isystem", str(sdk.headers())]
    if not sdk.has_full_headers():
        flags.append(LIMITED_API)
    return ["c++" if language == "c++" else "cc", *flags,
            *[argument for argument in arguments if kept(argument)], *last]


class Link:
    """The arguments of a link, sorted."""

    def __init__(self, arguments):
        self.output, self.inputs, self.sources, self.options = "a.out", [], [], []
        self.folders, self.compile = [], []
        self.strip = "-s" in arguments or "-Wl,--strip-all" in arguments
        rest = iter(arguments)
        for argument in rest:
            value = next(rest, "") if argument in WITH_VALUE else None
            self.take(argument, value)

    def take(self, argument, value):
        if argument == "-o":
            self.output = value
        elif argument in ("-l", "-L"):
            self.take(argument + value, None)
        elif argument.startswith("-L"):
            self.folders.append(argument[2:])
        elif argument.startswith("-l"):
            self.inputs.append(argument)
        elif argument == "-Xlinker":
            self.take(f"-Wl,{value}", None)
        elif argument.startswith("-Wl,"):
            if kept(argument):
                self.options += argument.split(",")[1:]
        elif not argument.startswith("-"):
            kind = self.sources if Path(argument).suffix in SOURCES else self.inputs
            kind.append(argument)
        else:
            self.compile += [argument] if value is None else [argument, value]

    def library(self, name):
        """The file of -lNAME; None if it is in the runtime."""
        for folder in self.folders:
            path = Path(folder) / f"lib{name}.a"
            if path.exists():
                return str(path)
        if name in RUNTIME_LIBRARIES or name.startswith("python"):
            return None
        raise SdkError(f"no lib{name}.a in {', '.join(self.folders) or 'the folders given by -L'}; "
                       "build that library with `eryx sdk cc` first")

    def objects(self):
        for item in self.inputs:
            path = self.library(item[2:]) if item.startswith("-l") else item
            if path:
                yield path


def link(sdk, language, arguments):
    wanted = Link(arguments)
    with tempfile.TemporaryDirectory(prefix="eryx-sdk.") as temp:
        objects = []
        for number, source in enumerate(wanted.sources):
            made = Path(temp) / f"{number}.o"
            status = zig(sdk, *compile_command(sdk, language, [*wanted.compile, "-c", source, "-o",
                                                               str(made)]))
            if status:
                return status
            objects.append(str(made))
        # What is no module is a build system's question whether something can be linked: all of it.
        collect = "--gc-sections" if "-shared" in arguments else "--no-gc-sections"
        return zig(sdk, "wasm-ld", "-shared", "--experimental-pic", "--no-entry", collect,
                   "--export-if-defined=__wasm_call_ctors",
                   "--extra-features=extended-const",
                   *(["--strip-all"] if wanted.strip else []), *wanted.options, "-o", wanted.output,
                   *objects, *wanted.objects(), *[str(sdk.libraries / name) for name in LIBRARIES],
                   str(sdk.exceptions), str(sdk.builtins))


def run(sdk, language, arguments):
    if "-Wl,--version" in arguments:
        return zig(sdk, "wasm-ld", "--version")
    if not arguments:
        raise SdkError("no input; used like cc: `eryx sdk cc -shared module.c -o "
                       f"module{sdk.suffix}`")
    sources = [argument for argument in arguments if Path(argument).suffix in SOURCES]
    objects = [argument for argument in arguments
               if not argument.startswith("-") and Path(argument).suffix in (".o", ".a", ".obj")]
    if language == "cc" and any(Path(source).suffix not in (".c", ".s", ".S", ".i")
                                for source in sources):
        language = "c++"
    if NO_LINK & set(arguments) or not (sources or objects):
        return zig(sdk, *compile_command(sdk, language, arguments))
    return link(sdk, language, arguments)


def main():
    """As the programs bin/cc and bin/c++ of build systems."""
    try:
        return run(Sdk(Path(__file__).resolve().parent.parent), sys.argv[1], sys.argv[2:])
    except (SdkError, OSError) as error:
        print(f"eryx sdk {sys.argv[1]}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
