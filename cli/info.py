# Runs in the sandbox for `eryx info`: what this Python has, as JSON or as text.
import importlib.util
import json
import platform
import sys
import textwrap

# Importing these does something (opens a browser, prints, needs a display) or is no use here.
NOT_TRIED = {'__main__', 'antigravity', 'idlelib', 'this', 'turtledemo'}


def importable(name):
    if name in sys.builtin_module_names:
        return True
    try:
        if importlib.util.find_spec(name) is None:
            return False
        __import__(name)
    except Exception:
        return False
    return True


def version_of(module, attribute):
    try:
        return str(getattr(__import__(module), attribute))
    except Exception:
        return None


known = sorted(sys.stdlib_module_names - NOT_TRIED)
present = [name for name in known if importable(name)]
info = {
    'version': ' '.join(sys.version.split()),
    'platform': f'{sys.platform} {platform.machine() or "wasm32"} {sys.maxsize.bit_length() + 1}-bit',
    'libraries': {
        'sqlite': version_of('sqlite3', 'sqlite_version'),
        'zlib': version_of('zlib', 'ZLIB_RUNTIME_VERSION'),
        'expat': version_of('pyexpat', 'EXPAT_VERSION'),
        'decimal': version_of('_decimal', '__libmpdec_version__'),
        'unicode': version_of('unicodedata', 'unidata_version'),
    },
    'builtin_modules': sorted(sys.builtin_module_names),
    'modules': [name for name in present if name not in sys.builtin_module_names],
    'missing_modules': [name for name in known if name not in present],
}

if sys.argv[1] == 'json':
    print(json.dumps(info))
else:
    def paragraph(title, names):
        print(f'\n{title} ({len(names)})')
        print(textwrap.fill(' '.join(names), 78, initial_indent='  ', subsequent_indent='  '))

    print('  sys.version     ', info['version'])
    print('  platform        ', info['platform'])
    print('  libraries       ', ', '.join(f'{k} {v}' for k, v in info['libraries'].items() if v))
    paragraph('Built-in modules', info['builtin_modules'])
    paragraph('Standard library', info['modules'])
    paragraph('Not in the sandbox', info['missing_modules'])
