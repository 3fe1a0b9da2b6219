"""What sandboxes are made with: the keywords of Sandbox, Session, run and Pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict, Union

from ._callbacks import Callbacks, collect
from ._execution import Handlers
from ._grants import Mounts, Network, Package, Secret, raw_mounts, raw_packages
from ._limits import Limits, Size
from ._outcome import TraceEvent
from ._profile import Profile
from ._runtime import Runtime

__all__ = ["SandboxOptions"]

Stdin = Union[str, bytes, Callable[[int], Union[str, bytes]]]
OnOutput = Callable[[str, str], Any]
OnTrace = Callable[[TraceEvent], Any]


class SandboxOptions(TypedDict, total=False):
    """What `Sandbox`, `Session`, `run` and `Pool` take by keyword.

    runtime: where it comes from; None: Runtime.default().
    limits, timeout (seconds of one execution), memory: see Limits.
    callbacks: functions that programs may call; see Callback.
    argv, environ: what programs see as sys.argv and os.environ.
    stdin: text, bytes, or a function that is given a size and returns what comes next.
    on_output(stream, text): takes output as it is written ("stdout" or "stderr"), by writes or,
        with output_mode="line", by whole lines. Outcomes have none then.
    on_trace(event): takes a TraceEvent for every line, call, return and exception.
    trace_locals: bytes of local variables' text that an event may carry.
    profile: a Profile, which gathers where the time goes.
    network: a Network, or a list of rules that are granted. None: no network.
    secrets: see Secret.
    authorities: certificates (PEM) that TLS connections trust besides the system's.
    mounts: files by path in the sandbox: paths of this machine, an Archive, a Tree, or a Mount of them.
    packages: wheels, other archives or folders that programs may import from; an Archive is read once for
        all sandboxes. Runtime(packages=...) has them imported already, at no cost for a sandbox.
    rollback: what an execution that ends badly (limit, interrupt, trap) did to the session is undone.
        Default True; False: the session is lost then.
    """

    runtime: Runtime | None
    limits: Limits | None
    timeout: float | None
    memory: Size | None
    callbacks: Callbacks
    argv: Sequence[str] | None
    environ: Mapping[str, str] | None
    stdin: Stdin | None
    on_output: OnOutput | None
    output_mode: Literal["chunk", "line"]
    on_trace: OnTrace | None
    trace_locals: int
    profile: Profile | None
    network: Network | Sequence[str] | None
    secrets: Sequence[Secret]
    authorities: str | None
    mounts: Mounts
    packages: Sequence[Package]
    rollback: bool


def check(name: str, value: Any, *classes: type) -> None:
    if not isinstance(value, classes):
        names = " or ".join(one.__name__ for one in classes)
        raise TypeError(f"{name} must be {names}, not {type(value).__name__}")


def _check_callable(name: str, value: Any) -> None:
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable, not {type(value).__name__}")


def _limits(options: SandboxOptions, raw: dict[str, Any]) -> None:
    limits = options.get("limits")
    if limits is not None:
        check("limits", limits, Limits)
        raw["limits"] = limits._raw()
    timeout, memory = options.get("timeout"), options.get("memory")
    if timeout is not None or memory is not None:
        short = Limits(wall_time=timeout, memory=memory)._raw()
        raw["limits"] = raw.get("limits", {}) | short


def _program(options: SandboxOptions, raw: dict[str, Any]) -> None:
    """What programs find there."""
    argv, environ = options.get("argv"), options.get("environ")
    if argv is not None:
        check("argv", argv, list, tuple)
        raw["argv"] = list(argv)
    if environ is not None:
        check("environ", environ, Mapping)
        raw["environ"] = [f"{name}={value}" for name, value in environ.items()]
    stdin = options.get("stdin")
    if callable(stdin):
        raw["stdin"] = True
    elif stdin is not None:
        check("stdin", stdin, str, bytes)
        raw["stdin"] = stdin.encode() if isinstance(stdin, str) else stdin
    raw["rollback"] = bool(options.get("rollback", True))


def _streams(options: SandboxOptions, raw: dict[str, Any]) -> None:
    on_output, on_trace = options.get("on_output"), options.get("on_trace")
    _check_callable("on_output", on_output)
    _check_callable("on_trace", on_trace)
    mode = options.get("output_mode", "chunk")
    if mode not in ("chunk", "line"):
        raise ValueError(f"output_mode must be \"chunk\" or \"line\", not {mode!r}")
    raw.update(output=on_output is not None, lines=mode == "line", trace=on_trace is not None,
               trace_locals=options.get("trace_locals", 0))
    profile = options.get("profile")
    if profile is not None:
        check("profile", profile, Profile)
        raw["sample"] = profile._interval_ns


def _grants(options: SandboxOptions, raw: dict[str, Any]) -> Network | None:
    network = options.get("network")
    if network is not None:
        if not isinstance(network, Network):
            network = Network(network)
        raw["net"] = network._raw
    authorities = options.get("authorities")
    if authorities is not None:
        check("authorities", authorities, str)
        raw["authorities"] = authorities
    if "secrets" in options:
        secrets = list(options["secrets"])
        for secret in secrets:
            check("a secret", secret, Secret)
        raw["secrets"] = [secret._raw for secret in secrets]
    if "mounts" in options:
        raw["mounts"] = raw_mounts(options["mounts"])
    if options.get("packages"):
        mounts, raw["prelude"] = raw_packages(options["packages"])
        raw["mounts"] = raw.get("mounts", []) + mounts
    return network


def parse(options: SandboxOptions) -> tuple[Runtime, dict[str, Any], Handlers]:
    """The runtime, what the extension takes, and what is done in Python."""
    if not options:
        return Runtime.default(), {}, _NO_HANDLERS
    unknown = options.keys() - SandboxOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"unknown option: {', '.join(sorted(unknown))}")
    runtime = options.get("runtime") or Runtime.default()
    check("runtime", runtime, Runtime)
    raw: dict[str, Any] = {}
    _limits(options, raw)
    _program(options, raw)
    _streams(options, raw)
    network = _grants(options, raw)
    callbacks = collect(options.get("callbacks") or ())
    if callbacks:
        raw["callbacks"] = [callback._raw for callback in callbacks]
    stdin = options.get("stdin")
    return runtime, raw, Handlers(callbacks, options.get("on_output"), options.get("on_trace"),
                                  stdin if callable(stdin) else None,
                                  network._on_event if network is not None else None,
                                  raw.pop("prelude", None), options.get("profile"))


_NO_HANDLERS = Handlers((), None, None, None, None, None, None)
