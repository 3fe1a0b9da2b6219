"""What the standard library's ctypes is made of, for a sandbox: C data types as bytes in Python objects.
There are no foreign functions and no addresses: opening a library, calling a function, casting and
addressof() raise. Pointers lead to objects. Bit fields are not supported."""

import struct
import types

__version__ = "1.1.0"
RTLD_LOCAL, RTLD_GLOBAL = 0, 1
FUNCFLAG_CDECL, FUNCFLAG_PYTHONAPI, FUNCFLAG_USE_ERRNO, FUNCFLAG_USE_LASTERROR = 1, 4, 8, 16
SIZEOF_TIME_T = 8
_memmove_addr = _memset_addr = _string_at_addr = _cast_addr = _memoryview_at_addr = _wstring_at_addr = 0
_SIZES = {"O": 4, "z": 4, "Z": 4, "P": 4, "u": 4, "?": 1, "c": 1, "g": 16}
_REFERENCES = "OzZP"  # what an object stands for, beside or instead of a number


class ArgumentError(Exception):
    pass


def _no(what):
    return NotImplementedError(f"ctypes: {what}: the sandbox has no foreign functions and no addresses")


# --- All types --------------------------------------------------------------------------------

class _Type(type):
    """A data type: _size, _align; instances have their bytes in _bytes, and what these refer to in
    _objects, {offset: object}, which belongs to the outermost one."""

    def __mul__(cls, length):
        if not isinstance(length, int):
            raise TypeError("can't multiply sequence by non-int of type " + repr(type(length).__name__))
        if length < 0:
            raise ValueError(f"Array length must be >= 0, not {length}")
        cached = _arrays.get((cls, length))
        if cached is None:
            name = f"{cls.__name__}_Array_{length}"
            cached = _arrays[cls, length] = _ArrayType(name, (Array,), {"_type_": cls, "_length_": length})
        return cached

    __rmul__ = __mul__

    def from_buffer(cls, source, offset=0):
        view = memoryview(source)
        if view.readonly:
            raise TypeError("underlying buffer is not writable")
        return cls._view(_slice(view.cast("B"), offset, cls._size), {}, 0)

    def from_buffer_copy(cls, source, offset=0):
        view = _slice(memoryview(source).cast("B"), offset, cls._size)
        return cls._view(memoryview(bytearray(view)), {}, 0)

    def from_param(cls, value):
        if isinstance(value, cls):
            return value
        if hasattr(value, "_as_parameter_"):
            return cls.from_param(value._as_parameter_)
        raise TypeError(f"expected {cls.__name__} instance instead of {type(value).__name__}")

    def from_address(cls, address):
        raise _no("from_address")

    def in_dll(cls, library, name):
        raise _no("in_dll")

    def _view(cls, view, objects, base):
        """An instance that lies in other bytes."""
        self = cls.__new__(cls)
        self._bytes, self._objects, self._base = view, objects, base
        return self


_arrays = {}


def _slice(view, offset, size):
    if offset < 0:
        raise ValueError("offset cannot be negative")
    if len(view) - offset < size:
        raise ValueError(f"Buffer size too small ({len(view)} instead of at least {size + offset} bytes)")
    return view[offset:offset + size]


class _CData(metaclass=_Type):
    __slots__ = ("_bytes", "_objects", "_base", "__dict__", "__weakref__")
    _size, _align = 0, 1

    def __new__(cls, *arguments, **keywords):
        if not hasattr(cls, "_complete"):
            raise TypeError("abstract class")
        self = object.__new__(cls)
        self._bytes, self._objects, self._base = memoryview(bytearray(cls._size)), {}, 0
        return self

    def __buffer__(self, flags):
        return self._bytes

    def __reduce__(self):
        if any(self._base <= at < self._base + self._size for at in self._objects):
            raise ValueError("ctypes objects containing pointers cannot be pickled")
        return _restore, (type(self), bytes(self._bytes))

    def _part(self, kind, offset):
        return kind._view(self._bytes[offset:offset + kind._size], self._objects, self._base + offset)

    def _get(self, kind, offset):
        part = self._part(kind, offset)
        if _SimpleCData in kind.__bases__:
            return part._load()
        return part.value if getattr(kind, "_is_text", False) else part

    def _set(self, kind, offset, value):
        part = self._part(kind, offset)
        if isinstance(value, kind):
            part._copy(value)
        elif issubclass(kind, _SimpleCData):
            part._store(value)
        elif isinstance(value, tuple):
            part._copy(kind(*value))
        elif issubclass(kind, Array) and isinstance(value, (bytes, str)):
            part.value = value
        elif issubclass(kind, _Pointer) and (value is None or isinstance(value, Array)):
            part._point(value if value is None else value._part(kind._type_, 0))
        else:
            raise TypeError(f"incompatible types, {type(value).__name__} instance instead of "
                            f"{kind.__name__} instance")

    def _copy(self, other):
        self._bytes[:] = other._bytes
        for at in range(self._size):
            self._objects.pop(self._base + at, None)
        for at, value in list(other._objects.items()):
            if other._base <= at < other._base + other._size:
                self._objects[at - other._base + self._base] = value


def _restore(cls, data):
    return cls.from_buffer_copy(data)


# --- Simple types -----------------------------------------------------------------------------

class _SimpleType(_Type):
    def __init__(cls, name, bases, namespace):
        super().__init__(name, bases, namespace)
        code = namespace.get("_type_")
        if code is None:
            if bases and hasattr(bases[0], "_complete"):
                cls._complete = True
            return
        if not isinstance(code, str) or code not in "cbBhHiIlLqQfdgPzZuO?":
            raise AttributeError("class must define a '_type_' attribute which must be a single character "
                                 "string containing one of the supported type codes")
        cls._size = cls._align = _SIZES.get(code) or struct.calcsize(f"@{code}")
        cls._format = {"P": "<I", "u": "<I", "z": "<I", "Z": "<I", "O": "<I", "l": "<i",
                       "L": "<I"}.get(code, f"<{code}")
        cls._complete = True
        if code in "hHiIlLqQfd" and "_swapped" not in namespace:
            other = _SimpleType(name, bases, {"_type_": code, "_swapped": True})
            other._format = ">" + cls._format[1:]
            other.__ctype_le__ = cls.__ctype_le__ = cls
            other.__ctype_be__ = cls.__ctype_be__ = other

    def from_param(cls, value):
        if isinstance(value, (cls, _Reference)) or value is None and cls._type_ in _REFERENCES:
            return value
        if hasattr(value, "_as_parameter_"):
            return cls.from_param(value._as_parameter_)
        try:
            return cls(value)
        except (TypeError, OverflowError, struct.error) as error:
            raise TypeError(str(error)) from None


class _SimpleCData(_CData, metaclass=_SimpleType):
    __slots__ = ()

    def __init__(self, value=None):
        if value is not None or self._type_ == "O":
            self._store(value)

    def _store(self, value):
        code = self._type_
        if code in _REFERENCES:
            self._refer(value)
        elif code == "c":
            if isinstance(value, int):
                value = bytes([value])
            if not isinstance(value, (bytes, bytearray)) or len(value) != 1:
                raise TypeError("one character bytes, bytearray, or an integer in range(256) expected")
            self._bytes[:] = value
        elif code == "u":
            if not isinstance(value, str) or len(value) != 1:
                raise TypeError("a unicode character expected")
            self._bytes[:] = struct.pack("<I", ord(value))
        elif code == "?":
            self._bytes[:] = bytes([bool(value)])
        elif code in "fdg":
            if not isinstance(value, (int, float)):
                raise TypeError(f"must be real number, not {type(value).__name__}")
            self._bytes[:] = (_long_double(float(value)) if code == "g"
                              else struct.pack(self._format, value))
        else:
            if not hasattr(value, "__index__"):
                raise TypeError(f"an integer is required (got type {type(value).__name__})")
            number = value.__index__() & (1 << 8 * self._size) - 1  # as C does it
            self._bytes[:] = number.to_bytes(self._size, "big" if self._format[0] == ">" else "little")

    def _refer(self, value):
        """Pointers to text and objects; of a void pointer only numbers and NULL."""
        wanted = {"z": bytes, "Z": str, "P": int, "O": object}[self._type_]
        if value is not None and not isinstance(value, (wanted, int)):
            raise TypeError(f"{wanted.__name__} or integer address expected instead of "
                            f"{type(value).__name__} instance")
        self._objects.pop(self._base, None)
        number = value & 0xFFFFFFFF if isinstance(value, int) and self._type_ != "O" else 0
        if self._type_ == "O" or value is not None and not isinstance(value, int):
            self._objects[self._base] = value
            number = id(value) & 0xFFFFFFFF
        self._bytes[:] = struct.pack("<I", number)

    def _load(self):
        code = self._type_
        if code in _REFERENCES:
            if self._base in self._objects:
                return self._objects[self._base]
            if code == "O":
                raise ValueError("PyObject is NULL")
            number = struct.unpack("<I", self._bytes)[0]
            if code != "P" and number:
                raise _no("text at an address")
            return number or None
        if code == "c":
            return bytes(self._bytes)
        if code == "u":
            return chr(struct.unpack("<I", self._bytes)[0])
        if code == "g":
            return _of_long_double(bytes(self._bytes))
        return struct.unpack(self._format, self._bytes)[0]

    value = property(_load, _store)

    def __bool__(self):
        return any(self._bytes)

    def __repr__(self):
        if _SimpleCData not in type(self).__bases__:
            return object.__repr__(self)
        return f"{type(self).__name__}({self.value!r})"


def _long_double(value):
    """IEEE binary128, little-endian."""
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    sign, exponent, fraction = bits >> 63, bits >> 52 & 0x7FF, bits & (1 << 52) - 1
    if exponent == 0 and fraction:
        shift = 53 - fraction.bit_length()
        fraction, exponent = fraction << shift & (1 << 52) - 1, 1 - shift
    wide = 0x7FFF if exponent == 0x7FF else exponent - 1023 + 16383 if exponent or fraction else 0
    return (sign << 127 | wide << 112 | fraction << 60).to_bytes(16, "little")


def _of_long_double(data):
    bits = int.from_bytes(data, "little")
    sign, exponent, fraction = bits >> 127, bits >> 112 & 0x7FFF, bits & (1 << 112) - 1
    if exponent == 0x7FFF:
        value = float("nan") if fraction else float("inf")
    else:
        import math
        value = math.ldexp((fraction | (1 << 112 if exponent else 0)) / (1 << 112),
                           max(exponent, 1) - 16383)
    return -value if sign else value


# --- Arrays -----------------------------------------------------------------------------------

class _ArrayType(_Type):
    def __init__(cls, name, bases, namespace):
        super().__init__(name, bases, namespace)
        if bases == (_CData,):
            return
        length, kind = getattr(cls, "_length_", None), getattr(cls, "_type_", None)
        if length is None:
            raise AttributeError("class must define a '_length_' attribute")
        if kind is None:
            raise AttributeError("class must define a '_type_' attribute")
        if not isinstance(length, int):
            raise TypeError("The '_length_' attribute must be an integer")
        if length < 0:
            raise ValueError("The '_length_' attribute must not be negative")
        cls._size, cls._align, cls._complete = length * kind._size, kind._align, True
        if getattr(kind, "_type_", None) in ("c", "u"):
            cls.value = property(_get_text, _set_text)
            cls._is_text = True
        if getattr(kind, "_type_", None) == "c":
            cls.raw = property(lambda self: bytes(self._bytes), _set_raw)


def _get_text(self):
    if self._type_._type_ == "c":
        return bytes(self._bytes).partition(b"\0")[0]
    return bytes(self._bytes).decode("utf-32-le", "surrogatepass").partition("\0")[0]


def _set_text(self, value):
    if not isinstance(value, bytes if self._type_._type_ == "c" else str):
        raise TypeError(f"{'bytes' if self._type_._type_ == 'c' else 'unicode string'} expected instead of "
                        f"{type(value).__name__} instance")
    if len(value) > self._length_:
        raise ValueError("byte string too long" if isinstance(value, bytes) else "string too long")
    data = value if isinstance(value, bytes) else value.encode("utf-32-le", "surrogatepass")
    self._bytes[:len(data)] = data
    if len(value) < self._length_:
        self._bytes[len(data):len(data) + self._type_._size] = bytes(self._type_._size)


def _set_raw(self, value):
    data = bytes(value)
    if len(data) > self._size:
        raise ValueError("byte string too long")
    self._bytes[:len(data)] = data


class Array(_CData, metaclass=_ArrayType):
    __slots__ = ()
    __class_getitem__ = classmethod(types.GenericAlias)

    def __init__(self, *values):
        if len(values) > self._length_:
            raise IndexError("invalid index")
        for index, value in enumerate(values):
            self[index] = value

    def __len__(self):
        return self._length_

    def _offset(self, index):
        if index < 0:
            index += self._length_
        if not 0 <= index < self._length_:
            raise IndexError("invalid index")
        return index * self._type_._size

    def __getitem__(self, index):
        if not isinstance(index, slice):
            return self._get(self._type_, self._offset(index.__index__()))
        items = [self[i] for i in range(*index.indices(self._length_))]
        code = getattr(self._type_, "_type_", None)
        return b"".join(items) if code == "c" else "".join(items) if code == "u" else items

    def __setitem__(self, index, value):
        if not isinstance(index, slice):
            self._set(self._type_, self._offset(index.__index__()), value)
            return
        places, values = range(*index.indices(self._length_)), list(value)
        if len(places) != len(values):
            raise ValueError("Can only assign sequence of same size")
        for place, item in zip(places, values):
            self[place] = item


# --- Structures and unions --------------------------------------------------------------------

class CField:
    """A member: a descriptor of the class."""

    def __init__(self, name, kind, offset):
        self.name, self.type, self.offset = name, kind, offset
        self.size = self.byte_size = kind._size
        self.byte_offset, self.is_bitfield, self.is_anonymous = offset, False, False

    def __get__(self, instance, owner=None):
        return self if instance is None else instance._get(self.type, self.offset)

    def __set__(self, instance, value):
        instance._set(self.type, self.offset, value)

    def __repr__(self):
        return f"<CField {self.name!r} type={self.type.__name__}, ofs={self.offset}, size={self.size}>"


class _Inner:
    """A member of an anonymous member."""

    def __init__(self, outer, name):
        self.outer, self.name = outer, name

    def __get__(self, instance, owner=None):
        if instance is None:
            return getattr(self.outer.type, self.name)
        return getattr(self.outer.__get__(instance), self.name)

    def __set__(self, instance, value):
        setattr(self.outer.__get__(instance), self.name, value)


class _RecordType(_Type):
    def __init__(cls, name, bases, namespace):
        super().__init__(name, bases, namespace)
        if bases == (_CData,):
            return
        cls._complete = True
        if "_fields_" in namespace:
            cls._fields_ = namespace["_fields_"]  # through those that swap the byte order

    def __setattr__(cls, name, value):
        if name == "_fields_" and "_size" in vars(cls):
            raise AttributeError("_fields_ is final")
        super().__setattr__(name, value)
        if name == "_fields_":
            cls._lay_out(value)

    def _lay_out(cls, fields):
        base = cls.__base__
        size, align = base._size, base._align
        most = getattr(cls, "_pack_", 0) or 1 << 16
        anonymous = set(getattr(cls, "_anonymous_", ()))
        for name, kind, *width in fields:
            if width:
                raise NotImplementedError("ctypes: the sandbox has no bit fields")
            own = min(kind._align, most)
            at = 0 if cls._union else -(-size // own) * own
            field = CField(name, kind, at)
            super().__setattr__(name, field)
            if name in anonymous:
                for inner in kind._fields_:
                    super().__setattr__(inner[0], _Inner(field, inner[0]))
            size, align = max(size, at + kind._size), max(align, own)
        align = max(align, getattr(cls, "_align_", 1))
        cls._align, cls._size = align, -(-size // align) * align
        cls._names = (*getattr(base, "_names", ()), *(field[0] for field in fields))


class Structure(_CData, metaclass=_RecordType):
    __slots__ = ()
    _union = False

    def __init__(self, *values, **named):
        names = getattr(self, "_names", ())
        if len(values) > len(names):
            raise TypeError("too many initializers")
        for name, value in zip(names, values):
            if name in named:
                raise TypeError(f"duplicate values for field {name!r}")
            setattr(self, name, value)
        for name, value in named.items():
            setattr(self, name, value)


class Union(_CData, metaclass=_RecordType):
    __slots__ = ()
    _union = True
    __init__ = Structure.__init__


# --- Pointers and functions -------------------------------------------------------------------

class _PointerType(_Type):
    def __init__(cls, name, bases, namespace):
        super().__init__(name, bases, namespace)
        cls._size = cls._align = 4
        if bases != (_CData,):
            cls._complete = True
        if "_type_" in namespace:
            cls.set_type(namespace["_type_"])

    def set_type(cls, kind):
        cls._type_ = kind
        if "__pointer_type__" not in vars(kind):
            kind.__pointer_type__ = cls


class _Pointer(_CData, metaclass=_PointerType):
    __slots__ = ()

    def __init__(self, target=None):
        if target is not None:
            self.contents = target

    def _point(self, target):
        self._objects.pop(self._base, None)
        if target is not None:
            self._objects[self._base] = target
        self._bytes[:] = struct.pack("<I", 0 if target is None else id(target) & 0xFFFFFFFF)

    def _target(self):
        target = self._objects.get(self._base)
        if target is None:
            raise ValueError("NULL pointer access")
        return target

    def _set_contents(self, target):
        if not isinstance(target, self._type_):
            raise TypeError(f"expected {self._type_.__name__} instead of {type(target).__name__}")
        self._point(target)

    contents = property(_target, _set_contents)

    def __getitem__(self, index):
        target = self._target()
        if index != 0:
            raise _no("what lies beside the object of a pointer")
        return target._load() if _SimpleCData in type(target).__bases__ else target

    def __setitem__(self, index, value):
        target = self._target()
        if index != 0:
            raise _no("what lies beside the object of a pointer")
        target._copy(value if isinstance(value, self._type_) else self._type_(value))

    def __bool__(self):
        return self._objects.get(self._base) is not None


class _FunctionType(_Type):
    def __init__(cls, name, bases, namespace):
        super().__init__(name, bases, namespace)
        cls._size = cls._align = 4
        cls._complete = True


class CFuncPtr(_CData, metaclass=_FunctionType):
    __slots__ = ()

    def __init__(self, target=None, *others):
        if isinstance(target, tuple):
            raise AttributeError(f"{target[0]}: the sandbox has no foreign functions")
        self._objects[self._base] = target

    def __call__(self, *arguments):
        target = self._objects.get(self._base)
        if not callable(target):
            raise _no("a call")
        return target(*arguments)  # a callback of Python that comes back


class _Reference:
    """What byref() gives."""

    def __init__(self, target):
        self._obj = target


# --- Functions --------------------------------------------------------------------------------

def _type_of(value):
    kind = value if isinstance(value, _Type) else type(value)
    if not isinstance(kind, _Type):
        raise TypeError("this type has no size")
    return kind


def sizeof(value, /):
    return len(value._bytes) if isinstance(value, _CData) else _type_of(value)._size


def alignment(value, /):
    return _type_of(value)._align


def byref(value, offset=0, /):
    if not isinstance(value, _CData):
        raise TypeError(f"byref() argument must be a ctypes instance, not {type(value).__name__!r}")
    return _Reference(value)


def addressof(value, /):
    raise _no("addressof")


def resize(value, size, /):
    if size < type(value)._size:
        raise ValueError(f"minimum size is {type(value)._size}")
    value._bytes = memoryview(bytearray(bytes(value._bytes).ljust(size, b"\0")))


def dlopen(name, mode=0, /):
    if name is None:
        return 0  # ctypes itself opens the program, and finds nothing in it
    raise OSError(f"{name}: the sandbox has no foreign functions")


_errno = 0


def get_errno():
    return _errno


def set_errno(value, /):
    global _errno
    _errno, before = value, _errno
    return before
