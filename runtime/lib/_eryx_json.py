"""JSON for what goes to the host and comes from it, whatever a program does to `json`."""

import json

# Programs replace json.dumps and json.loads. What `json` makes anew for each value, or
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


def from_json(text):
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return _decoder.decode(text)  # begins with a space, or says where it is wrong
    return value if end == len(text) else _decoder.decode(text)
