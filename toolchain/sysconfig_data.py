#!/usr/bin/env python3
"""Mends what sysconfig says of the sandbox's CPython.

    sysconfig_data.py STDLIB.tar.zst OUTPUT_FOLDER

componentize-py configures CPython with an argument that has a line break, and CPython's own Makefile
cuts CONFIG_ARGS there, inside quotes. `shlex.split` of it fails; test.support and tools do that.
"""
import io
import json
import pprint
import subprocess
import sys
import tarfile
from pathlib import Path

NAME = "CONFIG_ARGS"
DATA, VARIABLES = "_sysconfigdata__wasi_wasm32-wasi.py", "_sysconfig_vars__wasi_wasm32-wasi.json"


def whole(arguments):
    """Without the argument at the end that has no closing quote."""
    return arguments if arguments.count("'") % 2 == 0 else arguments[:arguments.rindex("'")].rstrip()


def main(stdlib, output):
    output = Path(output)
    output.mkdir()
    tar = subprocess.run(["zstd", "-dcq", stdlib], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        texts = {Path(member.name).name: archive.extractfile(member).read().decode()
                 for member in archive if Path(member.name).name in (DATA, VARIABLES)}
    if len(texts) != 2:
        sys.exit(f"sysconfig_data: {stdlib} has not both {DATA} and {VARIABLES}")
    scope = {}
    exec(texts[DATA], scope)
    variables = json.loads(texts[VARIABLES])
    scope["build_time_vars"][NAME] = whole(scope["build_time_vars"].get(NAME, ""))
    variables[NAME] = whole(variables.get(NAME, ""))
    (output / DATA).write_text("# system configuration generated and used by the sysconfig module\n"
                               "build_time_vars = " + pprint.pformat(scope["build_time_vars"]) + "\n")
    (output / VARIABLES).write_text(json.dumps(variables, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().split("\n")[2].strip())
    main(*sys.argv[1:])
