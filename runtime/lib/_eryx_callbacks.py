"""The host's callbacks in the session; programs import this as `eryx`.

`install` puts the host's list of callbacks into a namespace, as async functions (plain ones for
callbacks declared blocking).
"""

import keyword
import types
import unicodedata

import _eryx_driver
from _eryx_callback import Callback, CallbackError, decode, encode, make, read_schema
from _eryx_json import from_json

_infos = []  # (name, description, schema) as the host gave them
_functions = {}  # name of a callback: its function
placed = {}  # name in the session: function or Namespace

# The functions of all callbacks, by name.
callbacks = types.MappingProxyType(_functions)


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


def install(namespace, infos):
    """Makes `infos` the callbacks of the session. What the program has put in place of a
    callback that was there before stays."""
    global _infos
    if infos == _infos:
        return
    functions, fresh = {}, {}
    for info in infos:
        function = _functions.get(info[0]) if info in _infos else None
        if function is None:
            function = make(*info)
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


def _reduce(callback):
    return find, (callback.__qualname__,)


Callback.__reduce__ = _reduce


def _object(name, text):
    """Sees to it that JSON text is an object."""
    try:
        value = from_json(text)
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
             "parameters_schema": read_schema(schema)} for name, description, schema in _infos]


invoke.__module__ = list_callbacks.__module__ = "eryx"
