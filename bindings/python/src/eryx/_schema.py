"""From type hints to JSON schema, and from JSON to what the hints promise.

`describe(hint)` gives a schema and a function that converts decoded JSON, or None where JSON is
already right. Conversion checks: a program in the sandbox may pass anything.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import json
import types
import typing
from typing import Any, Callable, NamedTuple, Optional

Schema = dict[str, Any]
Convert = Optional[Callable[[Any], Any]]

_MISSING = object()
_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer",
          float: "number", type(None): "null"}


class Mismatch(TypeError):
    """A value is not of the type that the hint says."""


def _kind(value: Any) -> str:
    return _NAMES.get(type(value), type(value).__name__)


def _plain(expected: str, *classes: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) not in classes:
            raise Mismatch(f"expected {expected}, not {_kind(value)}")
        return value
    return check


def _number(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is not int:
        raise Mismatch(f"expected number, not {_kind(value)}")
    return float(value)


_PLAIN: dict[Any, tuple[Schema, Convert]] = {
    Any: ({}, None),
    object: ({}, None),
    inspect.Parameter.empty: ({}, None),
    bool: ({"type": "boolean"}, _plain("boolean", bool)),
    int: ({"type": "integer"}, _plain("integer", int)),
    float: ({"type": "number"}, _number),
    str: ({"type": "string"}, _plain("string", str)),
    None: ({"type": "null"}, _plain("null", type(None))),
    type(None): ({"type": "null"}, _plain("null", type(None))),
}


def _items(convert: Convert, make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) is not list:
            raise Mismatch(f"expected array, not {_kind(value)}")
        if convert is None:
            return make(value)
        items = []
        for index, item in enumerate(value):
            items.append(_at(f"[{index}]", convert, item))
        return make(items)
    return check


def _at(where: str, convert: Callable[[Any], Any], value: Any) -> Any:
    """Converts; an error tells where."""
    try:
        return convert(value)
    except Mismatch as error:
        text = str(error)
        raise Mismatch(where + (text if text.startswith(("[", ".")) else ": " + text)) from None


def _array(arguments: tuple[Any, ...], make: Callable[[Any], Any]) -> tuple[Schema, Convert]:
    schema, convert = describe(arguments[0]) if arguments else ({}, None)
    return ({"type": "array", "items": schema} if schema else {"type": "array"},
            _items(convert, make))


def _tuple(arguments: tuple[Any, ...]) -> tuple[Schema, Convert]:
    if not arguments or arguments[-1] is Ellipsis:
        return _array(arguments[:1], tuple)
    described = [describe(argument) for argument in arguments]

    def check(value: Any) -> Any:
        if type(value) is not list or len(value) != len(described):
            raise Mismatch(f"expected array of {len(described)} items")
        return tuple(item if convert is None else _at(f"[{index}]", convert, item)
                     for index, (item, (_, convert)) in enumerate(zip(value, described)))
    return ({"type": "array", "prefixItems": [schema for schema, _ in described],
             "minItems": len(described), "maxItems": len(described)}, check)


def _mapping(arguments: tuple[Any, ...]) -> tuple[Schema, Convert]:
    if arguments and arguments[0] not in (str, Any):
        raise TypeError("keys of JSON objects are str")
    schema, convert = describe(arguments[1]) if len(arguments) > 1 else ({}, None)

    def check(value: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch(f"expected object, not {_kind(value)}")
        if convert is None:
            return value
        return {key: _at(f".{key}", convert, item) for key, item in value.items()}
    return ({"type": "object", "additionalProperties": schema} if schema
            else {"type": "object"}, check)


def _union(arguments: tuple[Any, ...]) -> tuple[Schema, Convert]:
    described = [describe(argument) for argument in arguments]
    schemas = [schema for schema, _ in described]
    if all(set(schema) == {"type"} for schema in schemas):
        schema: Schema = {"type": [one["type"] for one in schemas]}
    else:
        schema = {"anyOf": schemas}
    if any(not one for one in schemas):
        schema = {}

    def check(value: Any) -> Any:
        reasons = []
        for _, convert in described:
            if convert is None:
                return value
            try:
                return convert(value)
            except (Mismatch, ValueError) as error:
                reasons.append(str(error))
        raise Mismatch(", or ".join(dict.fromkeys(reasons)))
    return schema, check


def _one_of(values: dict[Any, Any]) -> tuple[Schema, Convert]:
    def check(value: Any) -> Any:
        for known, meant in values.items():
            if type(known) is type(value) and known == value:
                return meant
        raise Mismatch(f"expected one of {', '.join(map(json.dumps, values))}")
    return {"enum": list(values)}, check


def _object(name: str, hints: dict[str, Any], required: frozenset[str],
            defaults: dict[str, Any], make: Callable[..., Any]) -> tuple[Schema, Convert]:
    described = {key: describe(hint) for key, hint in hints.items()}
    properties = {key: _with_default(schema, defaults.get(key, _MISSING))
                  for key, (schema, _) in described.items()}

    def check(value: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch(f"expected object ({name}), not {_kind(value)}")
        missing = required - value.keys()
        if missing:
            raise Mismatch(f"{name} without {', '.join(sorted(missing))}")
        converted = {}
        for key, item in value.items():
            if key not in described:
                raise Mismatch(f"{name} has no {key}")
            convert = described[key][1]
            converted[key] = item if convert is None else _at(f".{key}", convert, item)
        return make(**converted)
    return ({"type": "object", "properties": properties, "required": sorted(required),
             "additionalProperties": False}, check)


def _dataclass(hint: Any) -> tuple[Schema, Convert]:
    hints = typing.get_type_hints(hint, include_extras=True)
    fields = [field for field in dataclasses.fields(hint) if field.init]
    required = frozenset(field.name for field in fields
                         if field.default is dataclasses.MISSING
                         and field.default_factory is dataclasses.MISSING)
    defaults = {field.name: field.default for field in fields
                if field.default is not dataclasses.MISSING}
    return _object(hint.__name__, {field.name: hints[field.name] for field in fields}, required,
                   defaults, hint)


def _with_default(schema: Schema, default: Any) -> Schema:
    if default is _MISSING:
        return schema
    try:
        encode(default)
    except (TypeError, ValueError):
        return schema
    return {**schema, "default": json.loads(encode(default))}


def _annotated(hint: Any) -> tuple[Schema, Convert]:
    schema, convert = describe(hint.__origin__)
    texts = [note for note in hint.__metadata__ if isinstance(note, str)]
    return ({**schema, "description": " ".join(texts)} if texts else schema), convert


def _class(hint: type) -> tuple[Schema, Convert]:
    if issubclass(hint, enum.Enum):
        return _one_of({member.value: member for member in hint})
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint)
    if typing.is_typeddict(hint):
        required: frozenset[str] = getattr(hint, "__required_keys__")
        return _object(hint.__name__, typing.get_type_hints(hint), required, {}, dict)
    if hasattr(hint, "model_json_schema") and hasattr(hint, "model_validate"):  # pydantic
        return hint.model_json_schema(), hint.model_validate
    raise TypeError(f"no JSON for type {hint.__qualname__}")


def describe(hint: Any) -> tuple[Schema, Convert]:
    """The schema of a type hint, and how decoded JSON becomes it. TypeError: JSON has no such."""
    try:
        if hint in _PLAIN:
            return _PLAIN[hint]
    except TypeError:  # not hashable: Annotated with a list, ...
        pass
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _annotated(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(arguments)
    if origin is typing.Literal:
        return _one_of({value: value for value in arguments})
    if hint is tuple or origin is tuple:
        return _tuple(arguments)
    for classes, make in (((list, collections.abc.Sequence, collections.abc.Iterable,
                            collections.abc.Collection), list),
                          ((set, collections.abc.Set), set), ((frozenset,), frozenset)):
        if hint in classes or origin in classes:
            return _array(arguments, make)
    mappings = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
    if hint in mappings or origin in mappings:
        return _mapping(arguments)
    if isinstance(hint, type):
        return _class(hint)
    raise TypeError(f"no JSON for {hint!r}")


# --- Results ---------------------------------------------------------------------------------


def _default(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, collections.abc.Mapping):
        return dict(value)
    if hasattr(value, "model_dump"):  # pydantic
        return value.model_dump(mode="json")
    raise TypeError(f"a result of type {type(value).__qualname__} is not JSON")


encode: Callable[[Any], str] = json.JSONEncoder(default=_default).encode


# --- Functions -------------------------------------------------------------------------------


class Parameters(NamedTuple):
    """What a function takes."""

    schema: Schema
    converters: dict[str, Callable[[Any], Any]]
    positional: tuple[str, ...]
    """Those that can only be passed by position."""


def parameters_of(function: Callable[..., Any], texts: dict[str, str]) -> Parameters:
    """From the signature; `texts` has descriptions from the docstring."""
    properties: dict[str, Schema] = {}
    required, positional = [], []
    converters = {}
    extra = False
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError as error:
        raise TypeError(f"a type hint cannot be resolved: {error}") from None
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            raise TypeError(f"parameter *{name}: callbacks take arguments by name")
        if parameter.kind is parameter.VAR_KEYWORD:
            extra = True
            continue
        try:
            schema, convert = describe(parameter.annotation)
        except TypeError as error:
            raise TypeError(f"parameter {name}: {error}") from None
        if name in texts and "description" not in schema:
            schema = {**schema, "description": texts[name]}
        if parameter.default is parameter.empty:
            required.append(name)
            properties[name] = schema
        else:
            properties[name] = _with_default(schema, parameter.default)
        if convert is not None:
            converters[name] = convert
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(name)
    return Parameters({"type": "object", "properties": properties, "required": required,
                       "additionalProperties": extra}, converters, tuple(positional))
