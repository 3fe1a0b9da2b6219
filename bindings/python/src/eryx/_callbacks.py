"""Callbacks: functions of the host that programs call."""

from __future__ import annotations

import copy
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Union

from . import _schema

__all__ = ["Callback", "callback"]

_SECTION = re.compile(r"^(Args|Arguments|Parameters):\s*$")
_HEADING = re.compile(r"^[A-Z][\w ]*:\s*$")
_ENTRY = re.compile(r"^\s+\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")
_REST = re.compile(r"^:param\s+(?:[^:]*\s)?(\w+):\s*(.*)$")


def _parse_docstring(text: str) -> tuple[str, dict[str, str]]:
    """The description, and texts of parameters (Google's style, or `:param name:`)."""
    kept: list[str] = []
    texts: dict[str, str] = {}
    inside, current, indent = False, "", 0
    for line in text.splitlines():
        if _SECTION.match(line):
            inside, current = True, ""
            continue
        if inside and (_HEADING.match(line) or (line.strip() and not line[0].isspace())):
            inside, current = False, ""
        if inside:
            entry = _ENTRY.match(line)
            depth = len(line) - len(line.lstrip())
            if entry and (not current or depth <= indent):
                current, indent = entry[1], depth
                texts[current] = entry[2].strip()
            elif current and line.strip():
                texts[current] += " " + line.strip()
            continue
        parameter = _REST.match(line)
        if parameter:
            texts[parameter[1]] = parameter[2].strip()
        else:
            kept.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip(), texts


def _is_async(function: Callable[..., Any]) -> bool:
    return (inspect.iscoroutinefunction(function)
            or inspect.iscoroutinefunction(getattr(function, "__call__", None)))


class Callback:
    """A function that programs may call, with what they are told about it.

    The JSON schema of the parameters comes from type hints and defaults, descriptions from the
    docstring. JSON becomes what the hints say: dataclasses, enums, TypedDicts, tuples, pydantic
    models. An `async def` is awaited by programs (`await search("x")`), a plain function is a plain
    one there too, unless `blocking` says otherwise.

    >>> def area(width: float, height: float = 1.0) -> float:
    ...     '''Area of a rectangle.'''
    ...     return width * height
    >>> eryx.run("area(3, height=4)", callbacks=[area]).value
    12.0
    """

    __slots__ = ("function", "name", "description", "schema", "blocking", "is_async", "_raw",
                 "_converters", "_positional")

    def __init__(self, function: Callable[..., Any], *, name: str | None = None,
                 description: str | None = None, schema: Mapping[str, Any] | None = None,
                 blocking: bool | None = None) -> None:
        if not callable(function):
            raise TypeError(f"a callback must be callable, not {type(function).__name__}")
        if name is None:
            name = getattr(function, "__name__", "")
            if not isinstance(name, str) or not name or name == "<lambda>":
                raise TypeError(f"{function!r} has no name: use eryx.callback(function, name=...)")
        if not isinstance(name, str):
            raise TypeError(f"the name of a callback must be str, not {type(name).__name__}")
        text, texts = _parse_docstring(inspect.getdoc(function) or "")
        self.function = function
        self.name = name
        self.description = text if description is None else description
        self.is_async = _is_async(function)
        self.blocking = not self.is_async if blocking is None else bool(blocking)
        self._converters: dict[str, Callable[[Any], Any]] = {}
        self._positional: tuple[str, ...] = ()
        if schema is None:
            try:
                self.schema, self._converters, self._positional = \
                    _schema.parameters_of(function, texts)
            except (TypeError, ValueError) as error:
                raise TypeError(f"callback {name}: {error}; give a schema=... of your own, and its "
                                "arguments come as plain JSON") from None
        else:
            self.schema = dict(schema)
        self._raw = (self.name, self.description, json.dumps(self.schema), self.blocking)

    def _call(self, arguments: str) -> Any:
        """Calls the function with arguments of a program; an awaitable if it is async."""
        values: dict[str, Any] = json.loads(arguments)
        for key, convert in self._converters.items():
            if key in values:
                try:
                    values[key] = convert(values[key])
                except _schema.Mismatch as error:
                    text = str(error)
                    raise TypeError(f"{self.name}() argument {key!r}"
                                    + (text if text.startswith(("[", ".")) else ": " + text)) \
                        from None
        if not self._positional:
            return self.function(**values)
        positional = [values.pop(key) for key in self._positional if key in values]
        return self.function(*positional, **values)

    def _renamed(self, name: str) -> Callback:
        other = copy.copy(self)
        other.name = name
        other._raw = (name, *self._raw[1:])
        return other

    def __repr__(self) -> str:
        return f"<eryx.Callback {self.name}{' blocking' if self.blocking else ''}>"


def callback(function: Callable[..., Any], *, name: str | None = None,
             description: str | None = None, schema: Mapping[str, Any] | None = None,
             blocking: bool | None = None) -> Callback:
    """A Callback with a name (dots make namespaces), description or schema other than the
    function's own.

    >>> get = eryx.callback(lambda url: "<" + url + ">", name="http.get", blocking=True)
    >>> eryx.run("http.get('x')", callbacks=[get]).value
    '<x>'
    """
    return Callback(function, name=name, description=description, schema=schema,
                    blocking=blocking)


Callbacks = Union[Iterable[Union[Callback, Callable[..., Any]]],
                  Mapping[str, Union[Callback, Callable[..., Any]]]]
"""Functions or Callbacks; or a dict that names them."""


def collect(callbacks: Callbacks) -> tuple[Callback, ...]:
    """What users give, as Callbacks."""
    if isinstance(callbacks, Mapping):
        return tuple(
            value._renamed(name) if isinstance(value, Callback) else Callback(value, name=name)
            for name, value in callbacks.items())
    if callable(callbacks):
        raise TypeError("callbacks must be a list of functions, or a dict: [function]")
    return tuple(value if isinstance(value, Callback) else Callback(value) for value in callbacks)
