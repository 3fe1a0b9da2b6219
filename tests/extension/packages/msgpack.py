import datetime
import io

import msgpack
from msgpack import _cmsgpack

print(_cmsgpack.__file__.rpartition("/")[2], msgpack.Packer is _cmsgpack.Packer)
value = {"numbers": [0, -1, 127, 128, 2**32, -2**63, 2**64 - 1, 1.5, float("inf")],
         "text": "é\u20ac\U0001f600" * 50, "bytes": bytes(range(256)), "none": None,
         "nested": [[[[]]], {"a": {"b": {}}}], "flags": [True, False]}
packed = msgpack.packb(value)
print(len(packed), msgpack.unpackb(packed) == value)
print(msgpack.packb([1, "a"]).hex(), msgpack.unpackb(b"\x93\x01\x02\x03", use_list=False))
stream = io.BytesIO(b"".join(msgpack.packb(item) for item in range(1000)))
print(sum(msgpack.Unpacker(stream, max_buffer_size=1 << 20)))
unpacker = msgpack.Unpacker()
for byte in packed:
    unpacker.feed(bytes([byte]))
print([item == value for item in unpacker])
moment = datetime.datetime(2026, 11, 26, 15, 4, 5, 123000, tzinfo=datetime.timezone.utc)
print(msgpack.unpackb(msgpack.packb(moment, datetime=True), timestamp=3) == moment)
print(msgpack.unpackb(msgpack.packb(msgpack.ExtType(5, b"xyz"))))
for bad in (b"", b"\x92\x01", b"\xc1", b"\x01\x02"):
    try:
        msgpack.unpackb(bad)
    except Exception as error:
        print(type(error).__name__, error)
try:
    msgpack.packb(object())
except TypeError as error:
    print(str(error).partition(" at ")[0])
try:
    deep = []
    for _ in range(2000):
        deep = [deep]
    msgpack.packb(deep)
except ValueError as error:
    print(error)
