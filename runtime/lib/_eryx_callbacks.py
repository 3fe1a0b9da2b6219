"""Host callbacks as Python functions; programs import this as `eryx`.

`install` turns the host's list of callbacks into async functions (plain ones for
callbacks declared blocking) in a namespace. Arguments are bound by the callback's
JSON schema, go out as one JSON object and come back as JSON.
"""

import inspect
import json
import keyword
import types
import unicodedata

import _eryx_driver

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

# Of our own: programs replace json.dumps and json.loads. What `json` makes anew for each value, or
# does with regular expressions around it, is only needed where its C code gives up.
_encoder = json.JSONEncoder(allow_nan=False)
_encode = json.encoder.c_make_encoder(
    None, _encoder.default, json.encoder.encode_basestring_ascii, None, _encoder.key_separator,
    _encoder.item_separator, _encoder.sort_keys, _encoder.skipkeys, _encoder.allow_nan)


def _no_number(name):
    raise ValueError(f"{name} is no JSON value")


_decoder = json.JSONDecoder(parse_constant=_no_number)
_scan = _decoder.scan_once


def to_json(value):
    """JSON text; TypeError, ValueError or RecursionError where there is none."""
    try:
        return "".join(_encode(value, 0))
    except Exception:
        return _encoder.encode(value)  # which knows what is circular


def _from_json(text):
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return _decoder.decode(text)  # begins with a space, or says where it is wrong
    return value if end == len(text) else _decoder.decode(text)


_infos = []  # (name, description, schema) as the host gave them
_functions = {}  # name of a callback: its function
placed = {}  # name in the session: function or Namespace

# The functions of all callbacks, by name.
callbacks = types.MappingProxyType(_functions)


class CallbackError(Exception):
    """A host callback failed, or what it returned is not JSON. `name` is the callback's."""

    __module__ = "eryx"

    def __init__(self, message, name=None):
        super().__init__(message)
        self.name = name


class Namespace:
    """The part of a dotted callback name before the last dot: `http` of `http.get`."""

    def __init__(self, name):
        self.__name__ = name

    def __repr__(self):
        return f"<callbacks {self.__name__}: {', '.join(sorted(_members(self)))}>"

    def __reduce__(self):
        return find, (self.__name__,)


def _members(owner):
    return [name for name in vars(owner) if not name.startswith("__")]


class Signature(inspect.Signature):
    """A signature made when it is first looked at, of the Parameters in `source`: few programs do."""

    def __getattr__(self, name):
        if name not in ("_parameters", "_return_annotation") or "source" not in vars(self):
            raise AttributeError(name)
        self.__init__(vars(self).pop("source").signature())
        return getattr(self, name)


class Parameters:
    """The parameters of one callback, read from its JSON schema."""

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
        return parameters

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
            value = self.properties[key]
            if type(value) is not dict:
                value = {}
            kind = value.get("type", "any")
            if type(kind) is not str:
                kind = to_json(kind)
            note = "" if key in self.required else ", optional"
            text = value.get("description")
            lines.append(f"    {key} ({kind}{note}): {text}" if text else f"    {key} ({kind}{note})")
        return lines


def encode(name, arguments):
    """Arguments as JSON text; the error names the argument that cannot be encoded."""
    try:
        return "".join(_encode(arguments, 0))
    except Exception:
        pass
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
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    except (StopIteration, ValueError):
        pass
    try:
        return _from_json(text)
    except ValueError as error:
        raise CallbackError(f"the result of {name}() is not JSON: {error}", name) from None


def _schema(text):
    try:
        schema = _from_json(text or "{}")
    except ValueError:
        return {}
    return schema if isinstance(schema, dict) else {}


def _make(info, start, block):
    """One function for one callback. `start(name, json)` returns an awaitable of the result
    (ok, text), `block(name, json)` waits for it."""
    name, description, schema = info
    schema = _schema(schema)
    parameters = Parameters(name, schema)
    bind = parameters.bind

    if BLOCKING_KEY in schema and schema[BLOCKING_KEY] is True:
        def function(*args, **kwargs):
            return decode(name, block(name, encode(name, bind(args, kwargs))))
    else:
        async def function(*args, **kwargs):
            return decode(name, await start(name, encode(name, bind(args, kwargs))))

    function.__name__ = name.rpartition(".")[2] if "." in name else name
    function.__qualname__ = name
    function.__module__ = "eryx"
    function.__signature__ = signature = Signature.__new__(Signature)
    signature.source = parameters
    if parameters.order:
        description = "\n".join([description, "", "Parameters:", *parameters.describe()])
    function.__doc__ = description
    return function


def _is_name(part):
    return (part.isidentifier() and not keyword.iskeyword(part)
            and not (part.startswith("__") and part.endswith("__")))


def _place(namespace, name, function):
    """Binds a callback under its dotted name, unless that is no Python name."""
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name)  # as the compiler does
    if name not in namespace and _is_name(name):
        namespace[name] = function
        return
    parts = name.split(".")
    for part in parts:
        if not _is_name(part):
            return
    if len(parts) == 1:
        name = parts[0]
        old = namespace.get(name)
        if isinstance(old, Namespace):
            for member in _members(old):
                setattr(function, member, getattr(old, member))
        namespace[name] = function
        return
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


def install(namespace, infos, start, block):
    """Makes `infos` the callbacks of the session. What the program has put in place of a
    callback that was there before stays."""
    global _infos
    if infos == _infos:
        return
    functions, fresh = {}, {}
    for info in infos:
        function = _functions.get(info[0]) if info in _infos else None
        if function is None:
            function = _make(info, start, block)
        else:
            for member in _members(function):
                delattr(function, member)
        functions[info[0]] = function
        _place(fresh, info[0], function)
    if not placed:
        namespace.update(fresh)
    else:
        mine = names_in(namespace)
        for name in mine:
            del namespace[name]
        for name, value in fresh.items():
            if name in mine or name not in placed:
                namespace[name] = value
            else:
                namespace.setdefault(name, value)
    _infos = infos
    for kept, new in (_functions, functions), (placed, fresh):
        kept.clear()
        kept.update(new)


def names_in(namespace):
    """The names that are callbacks, not the program's."""
    return {name for name, value in placed.items() if namespace.get(name) is value}


def find(name):
    """What a snapshot calls a callback, or the part of its name before a dot."""
    if name in _functions:
        return _functions[name]
    first, *rest = name.split(".")
    value = placed.get(first)
    for part in rest:
        value = getattr(value, part, None)
    if value is None:
        raise LookupError(f"the host has no callback {name!r}")
    return value


def _object(name, text):
    """Sees to it that JSON text is an object."""
    try:
        value = _from_json(text)
    except ValueError as error:
        raise ValueError(f"the arguments of {name}() are not JSON: {error}") from None
    if not isinstance(value, dict):
        raise TypeError(f"the arguments of {name}() must be a JSON object, "
                        f"not {type(value).__name__}")
    return value


async def invoke(name, arguments=None, /, **keywords):
    """Calls the host's callback `name`: invoke("name", '{"arg": "value"}').

    The arguments are a JSON object as text, a dict, or keywords. Returns the decoded result;
    CallbackError if the host fails."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a callback must be str, not {type(name).__name__}")
    if isinstance(arguments, str):
        text = arguments
        value = _object(name, text)
        if keywords:
            text = encode(name, value | keywords)
    elif arguments is None or isinstance(arguments, dict):
        text = encode(name, (arguments or {}) | keywords)
    else:
        raise TypeError(f"the arguments of {name}() must be JSON text or a dict, "
                        f"not {type(arguments).__name__}")
    return decode(name, await _eryx_driver.call(name, text))


def list_callbacks():
    """The host's callbacks: dicts with name, description, parameters_schema_json and
    parameters_schema."""
    return [{"name": name, "description": description, "parameters_schema_json": schema,
             "parameters_schema": _schema(schema)} for name, description, schema in _infos]


invoke.__module__ = list_callbacks.__module__ = "eryx"
