# All modules of the standard library that have what they need import.
import importlib
import pkgutil
import sys
import warnings

warnings.simplefilter('ignore')
MISSING = {'_', 'antigravity', 'this', '__main__', 'idlelib', 'turtledemo', 'turtle', 'tkinter',
           'ctypes', 'ssl', 'bz2', 'lzma', 'curses', 'readline', 'dbm', 'mmap', 'fcntl', 'grp', 'pwd',
           'pty', 'tty', 'termios', 'resource', 'syslog', 'msvcrt', 'winreg', 'winsound', 'nt',
           'ensurepip', 'venv', 'compression'}
failed = []
for name in sorted(sys.stdlib_module_names):
    if name.startswith('_') or name in MISSING:
        continue
    try:
        importlib.import_module(name)
    except Exception as error:
        failed.append(f'{name}: {error!r}')
print('\n'.join(failed))
for package in ('asyncio', 'collections', 'concurrent', 'email', 'encodings', 'html', 'http', 'importlib',
                'json', 'logging', 'os', 're', 'string', 'tomllib', 'unittest', 'urllib', 'xml', 'zoneinfo'):
    importlib.import_module(package)
print('all others import')
