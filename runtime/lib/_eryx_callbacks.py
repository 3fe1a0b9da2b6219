"""Host callbacks as Python functions.

`install` turns the host's list of callbacks into async functions (plain ones for
callbacks declared blocking) in a namespace. Arguments are bound by the callback's
JSON schema, go out as one JSON object and come back as JSON.
"""

import json
import keyword

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

    def __init__(self, message, name=None):
        super().__init__(message)
        self.name = name


class Namespace:
    """The part of a dotted callback name before the last dot: `http` of `http.get`."""

    def __init__(self, name):
        self.__name__ = name

    def __repr__(self):
        return f"<callbacks {self.__name__}: {', '.join(sorted(_members(self)))}>"


def _members(owner):
    return [name for name in vars(owner) if not name.startswith("__")]


class Parameters:
    """The parameters of one callback, read from its JSON schema."""

    def __init__(self, name, schema):
        self.callback = name
        properties = schema.get("properties")
        self.properties = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        self.required = [key for key in required if isinstance(key, str)] \
            if isinstance(required, list) else []
        # Without declared properties anything may be passed by keyword, unless forbidden.
        self.open = bool(schema.get("additionalProperties", not self.properties))
        names = list(self.properties)
        needed = [key for key in names if key in self.required]
        self.order = needed + [key for key in names if key not in self.required]

    def bind(self, args, kwargs):
        """The arguments as one dict; TypeError in Python's own words otherwise."""
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
        import inspect

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
        import inspect

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
            kind = kind if isinstance(kind, str) else json.dumps(kind)
            note = "" if key in self.required else ", optional"
            text = value.get("description")
            lines.append(f"    {key} ({kind}{note})" + (f": {text}" if text else ""))
        return lines


def encode(name, arguments):
    """Arguments as JSON text; the error names the argument that cannot be encoded."""
    try:
        return json.dumps(arguments, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        for key, value in arguments.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError, RecursionError) as inner:
                raise TypeError(f"{name}() argument {key!r} cannot be sent as JSON: {inner}") \
                    from None
        raise TypeError(f"{name}() arguments cannot be sent as JSON: {error}") from None


def decode(name, text):
    try:
        return json.loads(text)
    except ValueError as error:
        raise CallbackError(f"the result of {name}() is not JSON: {error}", name) from None


def _make(info, start, block):
    """One function for one callback. `start(name, json)` returns an awaitable of the result's
    JSON text, `block(name, json)` waits for it."""
    name = info["name"]
    try:
        schema = json.loads(info["parameters_schema_json"] or "{}")
    except ValueError:
        schema = {}
    if not isinstance(schema, dict):
        schema = {}
    parameters = Parameters(name, schema)
    bind = parameters.bind

    if schema.get(BLOCKING_KEY) is True:
        def function(*args, **kwargs):
            return decode(name, block(name, encode(name, bind(args, kwargs))))
    else:
        async def function(*args, **kwargs):
            return decode(name, await start(name, encode(name, bind(args, kwargs))))

    function.__name__ = name.rpartition(".")[2]
    function.__qualname__ = name
    function.__module__ = "eryx"
    function.__signature__ = parameters.signature
    described = parameters.describe()
    if described:
        described = ["", "Parameters:", *described]
    function.__doc__ = "\n".join([info["description"], *described])
    return function


def _place(namespace, name, function):
    """Binds a callback under its dotted name; None if the name is no Python name."""
    parts = name.split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) and
               not (part.startswith("__") and part.endswith("__")) for part in parts):
        return None
    if len(parts) == 1:
        old = namespace.get(name)
        if isinstance(old, Namespace):
            for member in _members(old):
                setattr(function, member, getattr(old, member))
        namespace[name] = function
        return name
    owner = namespace.get(parts[0])
    if not isinstance(owner, Namespace) and getattr(owner, "__module__", None) != "eryx":
        owner = namespace[parts[0]] = Namespace(parts[0])
    for index, part in enumerate(parts[1:-1], start=2):
        inner = vars(owner).get(part)
        if inner is None:
            inner = Namespace(".".join(parts[:index]))
            setattr(owner, part, inner)
        owner = inner
    old = vars(owner).get(parts[-1])
    if isinstance(old, Namespace):
        for member in _members(old):
            setattr(function, member, getattr(old, member))
    setattr(owner, parts[-1], function)
    return parts[0]


def install(namespace, callbacks, start, block):
    """Defines every callback in `namespace`; returns {top-level name: object} of what it defined.
    A name that is no Python identifier stays reachable through `invoke`."""
    fresh = {}
    for info in callbacks:
        _place(fresh, info["name"], _make(info, start, block))
    namespace.update(fresh)
    return fresh
