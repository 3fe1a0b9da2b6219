"""One callback of the host as Python has it: an object that looks like a function.

A host may offer many that a program does not call, so what an object knows beyond what the
host said (its parameters, which are in a JSON schema) it finds out when it is first asked.
"""

import inspect
import keyword
import types

import _eryx_driver
from _eryx_json import from_json, to_json

# Schema key by which a host declares a callback blocking: it becomes a plain function.
BLOCKING_KEY = "x-eryx-blocking"

_TYPES = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": None,
}


class CallbackError(Exception):
    """A host callback failed, or what it returned is not JSON. `name` is the callback's."""

    __module__ = "eryx"

    def __init__(self, message, name=None):
        super().__init__(message)
        self.name = name


class Parameters:
    """The parameters of one callback, read from its JSON schema."""

    __slots__ = "callback", "properties", "required", "order", "open", "positional"

    def __init__(self, name, schema):
        self.callback = name
        properties = schema.get("properties")
        if type(properties) is not dict:
            properties = {}
        required = schema.get("required")
        required = [key for key in required if type(key) is str] if type(required) is list else []
        self.properties = properties
        self.required = required
        # Without declared properties anything may be passed by keyword, unless forbidden.
        self.open = bool(schema.get("additionalProperties", not properties))
        needed = [key for key in properties if key in required]
        self.order = needed + [key for key in properties if key not in required]
        # Positional arguments alone can be all that is required.
        self.positional = len(needed) == len(required)

    def bind(self, args, kwargs):
        """The arguments as one dict; TypeError in Python's own words otherwise."""
        if not kwargs and self.positional and len(self.required) <= len(args) <= len(self.order):
            return dict(zip(self.order, args))
        if args and not self.order and self.open:
            raise TypeError(f"{self.callback}() takes arguments by name only: its schema names none")
        if len(args) > len(self.order):
            raise TypeError(f"{self.callback}() takes {len(self.order)} positional arguments "
                            f"but {len(args)} were given")
        bound = dict(zip(self.order, args))
        for key, value in kwargs.items():
            if key in bound:
                raise TypeError(f"{self.callback}() got multiple values for argument {key!r}")
            if key not in self.properties and not self.open:
                raise TypeError(f"{self.callback}() got an unexpected keyword argument {key!r}")
            bound[key] = value
        missing = [key for key in self.required if key not in bound]
        if missing:
            raise TypeError(f"{self.callback}() missing required argument"
                            f"{'s' if len(missing) > 1 else ''}: {', '.join(map(repr, missing))}")
        return bound

    def signature(self):
        """The parameters as `inspect` has them."""
        parameters = []
        positional = True
        for key in self.order:
            if not key.isidentifier() or keyword.iskeyword(key):
                positional = False
                continue
            parameters.append(inspect.Parameter(
                key,
                inspect.Parameter.POSITIONAL_OR_KEYWORD if positional
                else inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if key in self.required
                else self._property(key).get("default"),
                annotation=self._annotation(key)))
        if self.open:
            parameters.append(inspect.Parameter("arguments", inspect.Parameter.VAR_KEYWORD))
        return inspect.Signature(parameters)

    def _property(self, key):
        value = self.properties[key]
        return value if isinstance(value, dict) else {}

    def _annotation(self, key):
        kind = self._property(key).get("type")
        if not isinstance(kind, str):
            return inspect.Parameter.empty
        return _TYPES.get(kind, inspect.Parameter.empty)

    def describe(self):
        """Lines of a docstring."""
        lines = []
        for key in self.order:
            value = self._property(key)
            kind = value.get("type", "any")
            kind = kind if isinstance(kind, str) else to_json(kind)
            note = "" if key in self.required else ", optional"
            text = value.get("description")
            lines.append(f"    {key} ({kind}{note})" + (f": {text}" if text else ""))
        return lines


def encode(name, arguments):
    """Arguments as JSON text; the error names the argument that cannot be encoded."""
    try:
        return to_json(arguments)
    except (TypeError, ValueError, RecursionError) as error:
        for key, value in arguments.items():
            try:
                to_json(value)
            except (TypeError, ValueError, RecursionError) as inner:
                raise TypeError(f"{name}() argument {key!r} cannot be sent as JSON: {inner}") \
                    from None
        raise TypeError(f"{name}() arguments cannot be sent as JSON: {error}") from None


def decode(name, result):
    """The value of a result (ok, text)."""
    ok, text = result
    if not ok:
        raise CallbackError(text, name)
    try:
        return from_json(text)
    except ValueError as error:
        raise CallbackError(f"the result of {name}() is not JSON: {error}", name) from None


def read_schema(text):
    try:
        schema = from_json(text or "{}")
    except ValueError:
        return {}
    return schema if isinstance(schema, dict) else {}


def is_blocking(schema):
    """Of the schema's text."""
    return BLOCKING_KEY in schema and read_schema(schema).get(BLOCKING_KEY) is True


def _parameters(callback):
    parameters = callback._eryx_parameters
    if parameters is None:
        parameters = callback._eryx_parameters = Parameters(
            callback._eryx_name, read_schema(callback._eryx_schema))
    return parameters


async def _invoke(callback, args, kwargs):
    name = callback._eryx_name
    text = encode(name, _parameters(callback).bind(args, kwargs))
    return decode(name, await _eryx_driver.call(name, text))


class Callback:
    # An async function of the host. Whoever asks what it is (`inspect`, `help`) is told: a function.

    __module__ = "eryx"
    # Named so that they do not clash with members: `http.get` is an attribute of `http`.
    __slots__ = ("_eryx_name", "_eryx_description", "_eryx_schema", "_eryx_parameters", "__dict__",
                 "__weakref__")

    # What functions have besides.
    __code__ = _invoke.__code__
    __globals__ = globals()
    __defaults__ = __kwdefaults__ = __closure__ = None
    __type_params__ = ()

    def __init__(self, name, description, schema):
        self._eryx_name = name
        self._eryx_description = description
        self._eryx_schema = schema
        self._eryx_parameters = None

    def __call__(self, /, *args, **kwargs):
        coroutine = _invoke(self, args, kwargs)
        coroutine.__qualname__ = self._eryx_name  # what is said of one that is never awaited
        return coroutine

    def __get__(self, instance, owner=None):
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self):
        return f"<callback {self._eryx_name}>"

    def __getattr__(self, name):
        if name == "__qualname__":
            return self._eryx_name
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def __class__(self):
        return types.FunctionType

    @property
    def __name__(self):
        return self._eryx_name.rpartition(".")[2]

    @property
    def __doc__(self):
        described = _parameters(self).describe()
        if described:
            described = ["", "Parameters:", *described]
        return "\n".join([self._eryx_description, *described])

    @property
    def __signature__(self):
        return _parameters(self).signature()

    @property
    def __annotations__(self):
        return {name: parameter.annotation for name, parameter in self.__signature__.parameters.items()
                if parameter.annotation is not inspect.Parameter.empty}


class BlockingCallback(Callback):
    __doc__ = Callback.__doc__  # a class without its own has None
    __module__ = "eryx"
    __slots__ = ()

    def __call__(self, /, *args, **kwargs):
        name = self._eryx_name
        text = encode(name, _parameters(self).bind(args, kwargs))
        return decode(name, _eryx_driver.call_blocking(name, text))

    __code__ = __call__.__code__


def make(name, description, schema):
    return (BlockingCallback if is_blocking(schema) else Callback)(name, description, schema)
