#!/usr/bin/env python3
"""Builds the guest runtime: the componentize-py wheel and runtime/ become build/runtime/*.

docs/architecture.md section 1 has the picture. Every step is cached by the content of its
inputs (toolchain/steps.py), so that only what a change reaches is made anew.

    toolchain/pipeline.py [--eryx-build PROGRAM] [--jobs N] [--quick] [--unpolled]
"""
import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from steps import Join, Out, Runner, Step, StepFailed, publish  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
DEPS = BUILD / "deps"
CONSTANT_BYTES = 32 << 20  # room for the standard library's archive

# Python defers destruction when the shadow stack is nearly full, which _Py_Dealloc itself does not
# use: 1 MiB of it must be gone before the engine's 32 MiB are.
DEALLOC_CHARGE = "_Py_Dealloc=64"

# What Python 3.14.0 reads as the reference count of NULL when str += str runs out of memory: it must
# be an immortal object's, then the reference made of it is the one that means "none".
NULL_WORD = "0x50000000"

MEMORY_MINIMUM = "96M"  # of a fresh sandbox: room to run ordinary programs without growing

TABLE_ROOM = 16384  # slots for the functions of extensions that a sandbox loads: 8 bytes each

# Symbols are looked up in this order (architecture.md section 2).
LIBRARIES = ["libpython3.14.so", "libwasi-emulated-signal.so", "libwasi-emulated-getpid.so",
             "libwasi-emulated-process-clocks.so", "libwasi-emulated-mman.so", "libc++.so",
             "libc++abi.so", "libc.so"]
C_FLAGS = ["-target", "wasm32-wasi", "-std=gnu11", "-O2", "-g0", "-fPIC", "-fvisibility=hidden",
           "-Wall", "-Wextra", "-Werror", "-fno-sanitize=undefined"]
# The engine does not inline across functions: more inlining here gives 9 % faster Python.
WASM_OPT = ["-O3", "-aimfs", "20", "-fimfs", "150", "-ocimfs", "3000",
            "--all-features", "--disable-compact-imports"]


class Tools:
    """The programs of the steps. Those given as paths are inputs: another program, another result."""

    def __init__(self, eryx_build):
        self.eryx_build = eryx_build
        self.wasm_opt = DEPS / "node_modules" / "binaryen" / "bin" / "wasm-opt"
        # zig is 180 MB; its stamp stands for it.
        self.zig = os.path.relpath(DEPS / "zig" / "zig", ROOT)
        self.zig_stamp = DEPS / ".zig.stamp"
        caches = str(BUILD / "cache" / "zig")
        self.zig_environment = {"ZIG_GLOBAL_CACHE_DIR": caches, "ZIG_LOCAL_CACHE_DIR": caches}


def files(folder, *patterns):
    return sorted(path for pattern in patterns for path in (ROOT / folder).rglob(pattern)
                  if "__pycache__" not in path.parts)


def libraries_steps(tools):
    wheel = next((DEPS / "wheels").glob("componentize_py-*.whl"))
    libs = Step("libs", [tools.eryx_build, "libs", "--wheel", wheel, "-o", Out("libs")])
    headers = Step("headers", [sys.executable, ROOT / "toolchain" / "python_headers.py",
                               ROOT / "runtime" / "python" / "make_pyconfig.py",
                               libs["libs"] / "stdlib.tar.zst", Out("include")], [sys.version])
    return libs, headers


def compile_steps(tools, headers):
    """A step for each C file of runtime/, then the one that links them to a dylib."""
    shared = files("runtime", "*.h") + [BUILD / "gen" / "guest_bindings.h", tools.zig_stamp]
    objects = []
    for source in files("runtime", "*.c"):
        name = source.relative_to(ROOT / "runtime").with_suffix("").as_posix().replace("/", "_")
        objects.append(Step("compile-" + name, [
            tools.zig, "cc", *C_FLAGS, "-Iruntime", "-Ibuild/gen",
            "-isystem", headers["include"], "-c", source, "-o", Out("object.o")],
            shared, tools.zig_environment))
    linked = Step("runtime-so", [
        tools.zig, "wasm-ld", "-shared", "--experimental-pic", "--allow-undefined", "--no-entry",
        "-o", Out("runtime.so"), *[step["object.o"] for step in objects]],
        [tools.zig_stamp], tools.zig_environment)
    return [*objects, linked], linked["runtime.so"]


def module_steps(tools, libs, runtime_so, quick):
    """The module, optimised (not if quick), with polls at its loop headers; and without them."""
    link = Step("link", [
        tools.eryx_build, "link", "--constant-size", str(CONSTANT_BYTES), "--charge",
        DEALLOC_CHARGE, "--null-word", NULL_WORD, "--keep-all", "--symbols",
        "--table-room", str(TABLE_ROOM), "-o", Out("merged.wasm"),
        runtime_so, *[Join(f"{name}=", libs["libs"] / f"{name}.zst") for name in LIBRARIES]])
    optimise = Step("wasm-opt", ["node", tools.wasm_opt, *WASM_OPT, link["merged.wasm"],
                                 "-o", Out("opt.wasm")])
    steps, plain = ([link], link["merged.wasm"]) if quick else ([link, optimise], optimise["opt.wasm"])
    polled = Step("safepoints", [tools.eryx_build, "safepoints", plain, "-o", Out("polled.wasm")])
    unpolled = Step("safepoints-unpolled", [tools.eryx_build, "safepoints", "--no-polls", plain,
                                            "-o", Out("unpolled.wasm")])
    fuel = Step("safepoints-fuel", [tools.eryx_build, "safepoints", "--fuel", plain,
                                    "-o", Out("fuel.wasm")])
    return [*steps, polled], polled["polled.wasm"], unpolled, fuel


def archive_steps(tools, libs):
    """What is mended of the standard library; the library, our modules and the time zones."""
    zones = DEPS / "tzdata" / "zoneinfo"
    mended = Step("sysconfig", [sys.executable, ROOT / "toolchain" / "sysconfig_data.py",
                                libs["libs"] / "stdlib.tar.zst", Out("sysconfig")])
    return mended, Step("stdlib", [
        tools.eryx_build, "stdlib", "--tar", libs["libs"] / "stdlib.tar.zst",
        "--add", mended["sysconfig"], "--add", "runtime/lib", "--zoneinfo", os.path.relpath(zones, ROOT),
        "-o", Out("stdlib.arc")], [*files("runtime/lib", "*.py"), DEPS / ".tzdata.stamp"])


def runtime_steps(tools, suffix, module, archive):
    """runtime.cwasm of a module: compiled, started once, packed."""
    code = Step("precompile" + suffix, [tools.eryx_build, "precompile", module,
                                        "--memory-minimum", MEMORY_MINIMUM, "-o", Out("code.elf")])
    image = Step("preinit" + suffix, [
        tools.eryx_build, "preinit", module, "--code", code["code.elf"], "--archive", archive,
        "--memory", Out("memory.img"), "--meta", Out("image.meta")])
    pack = Step("pack" + suffix, [
        tools.eryx_build, "pack", "--code", code["code.elf"], "--memory", image["memory.img"],
        "--meta", image["image.meta"], "-o", Out("runtime.cwasm")])
    return [code, image, pack], image, pack["runtime.cwasm"]


def fuel_steps(tools, fuel, image):
    """runtime-fuel.cwasm: the module's code once more, counting; memory is that of runtime.cwasm."""
    code = Step("precompile-fuel", [tools.eryx_build, "precompile", "--fuel", fuel["fuel.wasm"],
                                    "--memory-minimum", MEMORY_MINIMUM, "-o", Out("code.elf")])
    pack = Step("pack-fuel", [
        tools.eryx_build, "pack", "--fuel", "--code", code["code.elf"], "--memory",
        image["memory.img"], "--meta", image["image.meta"], "-o", Out("runtime-fuel.cwasm")])
    return [fuel, code, pack], pack["runtime-fuel.cwasm"]


def component_step(tools, module, image):
    shim = DEPS / "node_modules" / "@bytecodealliance" / "jco-transpile" / "dist" / "wasm-tools.js"
    return Step("component", [
        tools.eryx_build, "component", module, "--memory", image["memory.img"],
        "--meta", image["image.meta"], "--wit", "wit", "--wasm-tools", os.path.relpath(shim, ROOT),
        "--script", ROOT / "toolchain" / "component" / "component.mjs", "-o", Out("runtime.wasm")],
        [*files("wit", "*.wit"), DEPS / ".node_modules.stamp"])


def build(runner, tools, quick, unpolled_too):
    """Runs the steps and puts the results where the rest of the project looks for them."""
    libs, headers = libraries_steps(tools)
    compiled, runtime_so = compile_steps(tools, headers)
    module, polled, unpolled, fuel = module_steps(tools, libs, runtime_so, quick)
    mended, archive = archive_steps(tools, libs)
    packed, image, cwasm = runtime_steps(tools, "", polled, archive["stdlib.arc"])
    component = component_step(tools, polled, image)
    counting, fuel_cwasm = fuel_steps(tools, fuel, image)
    steps = [libs, headers, *compiled, *module, mended, archive, *packed, *counting, component]
    wanted = {"libs": libs["libs"], "guest/runtime.so": runtime_so, "guest/polled.wasm": polled,
              "guest/include": headers["include"],
              "runtime/runtime.cwasm": cwasm, "runtime/runtime-fuel.cwasm": fuel_cwasm,
              "runtime/runtime.wasm": component["runtime.wasm"]}
    if unpolled_too:
        more, _, other = runtime_steps(tools, "-unpolled", unpolled["unpolled.wasm"],
                                       archive["stdlib.arc"])
        steps += [unpolled, *more]
        wanted["runtime/unpolled.cwasm"] = other
    ran = runner.run(steps)
    for name, output in wanted.items():
        publish(output.step.results[output.name], BUILD / name)
    return ran


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--eryx-build", type=Path, default=BUILD / "eryx-build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quick", action="store_true",
                        help="leave out wasm-opt, which takes a minute: slower Python")
    parser.add_argument("--unpolled", action="store_true",
                        help="also build/runtime/unpolled.cwasm, without safepoints, to measure them")
    arguments = parser.parse_args()
    runner = Runner(ROOT, BUILD / "cache", arguments.jobs, bool(os.environ.get("V")))
    tools = Tools(arguments.eryx_build.resolve())
    started = time.monotonic()
    try:
        ran = build(runner, tools, arguments.quick, arguments.unpolled)
    except StepFailed as error:
        print(f"runtime: {error}" + (f"\nruntime: what to do: {error.advice}" if error.advice else ""),
              file=sys.stderr)
        return 1
    if ran:
        runner.say(f"runtime: {ran} steps in {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
