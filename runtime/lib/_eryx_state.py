"""Snapshots of a session: what the user defined, as bytes.

`snapshot` pickles the session's namespace in one go, so that shared objects stay
shared. Functions and classes of the session go by code object and namespace,
modules by name, everything else as pickle does. `restore` rebuilds all of it
before it touches the session, so a refused snapshot changes nothing.

Layout: magic, length and crc32 of the payload, then a pickle of (python version, names).
"""

import binascii
import dataclasses
import enum
import functools
import gc
import io
import marshal
import pickle
import struct
import sys
import types
import typing
import weakref


MAGIC = b"ERYXST01"
HEADER = struct.Struct("<8sII")
MAX_BYTES = 256 << 20

_PICKLE_VERSION = 5
_RUNTIME = f"{sys.implementation.cache_tag} {sys.byteorder}"
_TYPE_VARIABLES = typing.TypeVar, typing.ParamSpec, typing.TypeVarTuple
_LRU_CACHE = type(functools.lru_cache(None)(len))
# Objects that dataclasses compares by identity: they go by name.
_SENTINELS = {id(value): name for name, value in vars(dataclasses).items()
              if type(value).__module__ == "dataclasses" and not isinstance(value, type)}
_CLASS_SLOTS = frozenset({"__dict__", "__weakref__", "_abc_impl", "__module__", "__qualname__",
                          "__static_attributes__", "__firstlineno__"})


class StateError(Exception):
    """A session cannot be saved, or data is no snapshot of this runtime."""


def _namespace():
    return sys.modules["__main__"].__dict__


def _import(name):
    __import__(name)
    return sys.modules[name]


def _new_cell():
    return types.CellType()


def _set_cell(cell, state):
    if state:
        cell.cell_contents = state[0]


def _class_dict(cls):
    """The dict behind the class's __dict__. Code of annotations has it in a cell."""
    return gc.get_referents(cls.__dict__)[0]


def _set_class_cell(cell, cls):
    cell.cell_contents = _class_dict(cls)


def _new_function(code, name, cells, scope):
    """`scope`: None for the session, a module's name, or a private dict of globals."""
    if scope is None:
        scope = _namespace()
    elif isinstance(scope, str):
        scope = _import(scope).__dict__
    return types.FunctionType(marshal.loads(code), scope, name, None, tuple(cells))


def _set_function(function, state):
    (function.__defaults__, function.__kwdefaults__, function.__qualname__, function.__module__,
     function.__doc__, annotate, attributes) = state
    if annotate is not None:
        function.__annotate__ = annotate
    function.__dict__.update(attributes)


def _new_proxy(content):
    return types.MappingProxyType(content)


def _new_method(kind, *arguments):
    return kind(*arguments)


def _new_cache(function, parameters):
    return functools.lru_cache(**parameters)(function)


def _new_type_variable(kind, name, constraints, options):
    variable = kind(name, *constraints, **options)
    variable.__module__ = "__main__"
    return variable


def _new_type_of(name, supertype):
    new = typing.NewType(name, supertype)
    new.__module__ = "__main__"
    return new


def _new_alias(name, value, parameters):
    return typing.TypeAliasType(name, value, type_params=parameters)


def _new_class(meta, name, bases, early):
    """`early`: what the class must have from the beginning."""
    return types.new_class(name, bases, {"metaclass": meta},
                           lambda scope: scope.update(early, __module__="__main__"))


def _new_typed_dict(name, annotations, total):
    return typing.TypedDict(name, annotations, total=total)


def _set_class(cls, state):
    qualname, attributes = state
    cls.__qualname__ = qualname
    for key, value in attributes.items():
        setattr(cls, key, value)
    if "__abstractmethods__" in attributes:
        cls.__abstractmethods__ = attributes["__abstractmethods__"]


def _new_enum(meta, name, bases, members, attributes):
    scope = meta.__prepare__(name, bases)
    for key, value in members:
        scope[key] = value
    for key, value in attributes.items():
        scope[key] = value
    scope["__module__"] = "__main__"
    return meta(name, bases, scope)


def _of_session(obj):
    return getattr(obj, "__module__", None) == "__main__"


def _importable(obj):
    """Whether pickle's own way, by module and qualified name, finds the object again."""
    module = sys.modules.get(getattr(obj, "__module__", None))
    if module is None or module.__name__ == "__main__":
        return False
    for part in obj.__qualname__.split("."):
        module = getattr(module, part, None)
    return module is obj


def _is_in_module(obj):
    """The same for what has only a name. Type parameters say that they are of `typing`."""
    module = sys.modules.get(obj.__module__)
    return obj.__module__ != "__main__" and getattr(module, obj.__name__, None) is obj


def _names(code):
    """Every global name that code, or code inside it, may look up."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def _scope(function):
    scope = function.__globals__
    if scope is _namespace():
        return None
    module = sys.modules.get(scope.get("__name__"))
    if module is not None and module.__dict__ is scope:
        return module.__name__
    names = _names(function.__code__) | {"__name__"}
    return {name: scope[name] for name in names if name in scope}


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj):
        kind = type(obj)
        if kind is types.FunctionType:
            return NotImplemented if _importable(obj) else self._function(obj)
        if isinstance(obj, type):
            if not _of_session(obj):
                return NotImplemented
            return self._enum(obj) if isinstance(obj, enum.EnumType) else self._class(obj)
        if kind is types.ModuleType:
            if sys.modules.get(obj.__name__) is not obj:
                raise pickle.PicklingError(f"module {obj.__name__!r} is not importable by name")
            return _import, (obj.__name__,)
        if kind is types.CellType:
            return self._cell(obj)
        if kind is types.CodeType:
            return marshal.loads, (marshal.dumps(obj),)
        if id(obj) in _SENTINELS:
            return getattr, (dataclasses, _SENTINELS[id(obj)])
        if kind is types.MappingProxyType:
            return _new_proxy, (gc.get_referents(obj)[0],)
        if kind is weakref.WeakKeyDictionary or kind is weakref.WeakValueDictionary:
            return kind, (dict(obj),)
        if kind is classmethod or kind is staticmethod:
            return _new_method, (kind, obj.__func__)
        if kind is property:
            return _new_method, (kind, obj.fget, obj.fset, obj.fdel, obj.__doc__)
        if kind is _LRU_CACHE:
            return _new_cache, (obj.__wrapped__, obj.cache_parameters())
        if kind in _TYPE_VARIABLES and not _is_in_module(obj):
            return self._type_variable(obj)
        if kind is typing.NewType and not _is_in_module(obj):
            return _new_type_of, (obj.__name__, obj.__supertype__)
        if kind is typing.TypeAliasType and not _is_in_module(obj):
            return _new_alias, (obj.__name__, obj.__value__, obj.__type_params__)
        return NotImplemented

    def persistent_id(self, obj):
        return "namespace" if obj is self.namespace else None

    @staticmethod
    def _type_variable(variable):
        options, constraints = {}, ()
        if type(variable) is not typing.TypeVarTuple:
            options = {"bound": variable.__bound__, "covariant": variable.__covariant__,
                       "contravariant": variable.__contravariant__,
                       "infer_variance": variable.__infer_variance__}
        if type(variable) is typing.TypeVar:
            constraints = variable.__constraints__
        return (_new_type_variable, (type(variable), variable.__name__, constraints, options))

    def _cell(self, cell):
        try:
            content = cell.cell_contents
        except ValueError:
            return _new_cell, (), (), None, None, _set_cell
        if type(content) is dict:
            cls = self.classes.get(id(content))
            if cls is None:  # the class comes later: its own descriptors know it
                owners = (getattr(content.get(name), "__objclass__", None)
                          for name in ("__dict__", "__weakref__"))
                cls = next((owner for owner in owners if isinstance(owner, type)
                            and _class_dict(owner) is content), None)
            if cls is not None:
                return _new_cell, (), cls, None, None, _set_class_cell
        return _new_cell, (), (content,), None, None, _set_cell

    @staticmethod
    def _function(function):
        state = (function.__defaults__, function.__kwdefaults__, function.__qualname__,
                 function.__module__, function.__doc__, getattr(function, "__annotate__", None),
                 dict(function.__dict__))
        return (_new_function,
                (marshal.dumps(function.__code__), function.__name__, function.__closure__ or (),
                 _scope(function)),
                state, None, None, _set_function)

    def _class(self, cls):
        self.classes[id(_class_dict(cls))] = cls
        scope = dict(cls.__dict__)
        slots = scope.pop("__slots__", None)
        names = (slots,) if isinstance(slots, str) else tuple(slots or ())
        attributes = {key: value for key, value in scope.items()
                      if key not in _CLASS_SLOTS and key not in names
                      and not isinstance(value, types.GetSetDescriptorType)}
        if typing.is_typeddict(cls):
            return (_new_typed_dict, (cls.__name__, cls.__annotations__, cls.__total__),
                    (cls.__qualname__, {"__module__": "__main__"}), None, None, _set_class)
        early = {name: value for name, value in (("__slots__", slots),
                 ("__orig_bases__", attributes.pop("__orig_bases__", None))) if value is not None}
        return (_new_class, (type(cls), cls.__name__, cls.__bases__, early),
                (cls.__qualname__, attributes), None, None, _set_class)

    @staticmethod
    def _enum(cls):
        members = [(name, member._value_) for name, member in cls.__members__.items()]
        hidden = {"_generate_next_value_", "_missing_", "__new__", "__new_member__"}
        attributes = {key: value for key, value in cls.__dict__.items()
                      if isinstance(value, (types.FunctionType, property, classmethod,
                                            staticmethod)) and key not in hidden}
        return _new_enum, (type(cls), cls.__name__, cls.__bases__, members, attributes)


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, key):
        if key != "namespace":
            raise pickle.UnpicklingError(f"unknown reference {key!r}")
        return _namespace()


def _dump(namespace, value):
    out = io.BytesIO()
    pickler = _Pickler(out, _PICKLE_VERSION)
    pickler.namespace = namespace
    pickler.classes = {}  # id of a class's dict: the class
    pickler.dump((_RUNTIME, value))
    return out.getvalue()


def _refused(namespace, names):
    """[(name, why)] of the names that cannot be pickled."""
    refused = []
    for name, value in names.items():
        try:
            _dump(namespace, value)
        except Exception as error:  # whatever a user's __reduce__ raises
            refused.append((name, f"{type(error).__name__}: {error}"))
    return refused


def snapshot(namespace, hidden=(), skip=False):
    """The session as bytes. `hidden`: names that are not the user's.

    skip False: StateError names everything that cannot be saved; True: it is left out."""
    names = {name: value for name, value in namespace.items()
             if name not in hidden and not (name.startswith("__") and name.endswith("__"))}
    try:
        payload = _dump(namespace, names)
    except Exception:
        refused = _refused(namespace, names)
        if not skip or not refused:
            told = "; ".join(f"{name} ({why})" for name, why in refused) or "the names together"
            raise StateError(f"cannot save the session: {told}") from None
        for name, _ in refused:
            del names[name]
        payload = _dump(namespace, names)
    if len(payload) > MAX_BYTES:
        raise StateError(f"the session is too large to save: {len(payload)} bytes, "
                         f"at most {MAX_BYTES}")
    return HEADER.pack(MAGIC, len(payload), binascii.crc32(payload)) + payload


def restore(namespace, data, hidden=()):
    """Replaces the user's names by those of a snapshot; on StateError nothing has changed."""
    if len(data) < HEADER.size or data[:len(MAGIC)] != MAGIC:
        raise StateError("this is not a session snapshot")
    _, length, checksum = HEADER.unpack_from(data)
    payload = memoryview(data)[HEADER.size:]
    if len(payload) != length or length > MAX_BYTES:
        raise StateError(f"the snapshot has {len(payload)} bytes of content, {length} expected")
    if binascii.crc32(payload) != checksum:
        raise StateError("the snapshot is corrupt (checksum)")
    try:
        loaded = _Unpickler(io.BytesIO(payload)).load()
    except Exception as error:  # an unpickler raises anything
        raise StateError(f"the snapshot cannot be loaded: {type(error).__name__}: {error}") \
            from None
    if not isinstance(loaded, tuple) or len(loaded) != 2 or not isinstance(loaded[1], dict):
        raise StateError("the snapshot does not hold a session")
    runtime, names = loaded
    if runtime != _RUNTIME:
        raise StateError(f"the snapshot is of another runtime ({runtime}, this is {_RUNTIME})")
    for name in [name for name in namespace
                 if name not in hidden and not (name.startswith("__") and name.endswith("__"))]:
        del namespace[name]
    namespace.update(names)
