# Runs in the sandbox for `--callbacks FILE.toml`: the file as JSON, {"content": ...} or {"error": ...}.
import datetime
import json
import math
import tomllib


def inside(where, key):
    name = key if key.isascii() and key.replace('-', '_').isidentifier() else json.dumps(key)
    return f'{where}.{name}' if where else name


def refused(value, where):
    """Why a value is none of JSON's, or None."""
    if isinstance(value, dict):
        parts = ((inside(where, key), item) for key, item in value.items())
    elif isinstance(value, list):
        parts = ((f'{where}[{index}]', item) for index, item in enumerate(value))
    elif isinstance(value, (datetime.date, datetime.time)):
        return f'{where} is a date or time, which JSON does not have; write it as a string'
    elif isinstance(value, float) and not math.isfinite(value):
        return f'{where} is {value}, which JSON does not have'
    else:
        return None
    return next(filter(None, (refused(item, name) for name, item in parts)), None)


def read(path):
    try:
        with open(path, encoding='utf-8', newline='') as file:
            content = tomllib.loads(file.read())
        error = refused(content, '')
    except tomllib.TOMLDecodeError as problem:
        error = f'line {problem.lineno}, column {problem.colno}: not TOML: {problem.msg}'
    except UnicodeDecodeError as problem:
        error = f'byte {problem.start}: not UTF-8'
    except RecursionError:
        error = 'nested too deeply'
    return {'error': error} if error else {'content': content}


print(json.dumps(read('/tmp/file.toml')))
