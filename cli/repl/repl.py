# Runs in the sandbox for `eryx repl`: whether input is complete, and what may complete it.
# Defines answer(request) and nothing that a session would see: it is run in a namespace of its own.

MOST = 500  # matches that are worth listing


def syntax(source):
    """"more" if lines are missing, else "complete"; what is wrong is said when it is run."""
    import ast
    import codeop
    import warnings
    command = codeop.CommandCompiler()
    command.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            code = command(source, '<stdin>', 'single')
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return 'complete'
    return 'more' if code is None else 'complete'


def modules(text):
    """Names of modules that begin with text, which may have dots."""
    import importlib
    import pkgutil
    import sys
    package, _, prefix = text.rpartition('.')
    if package:
        path = getattr(importlib.import_module(package), '__path__', ())
        names = {module.name for module in pkgutil.iter_modules(path)}
    else:
        names = {module.name for module in pkgutil.iter_modules()}
        names.update(sys.builtin_module_names)
    start = package + '.' if package else ''
    return [start + name for name in names if name.startswith(prefix)
            and (prefix.startswith('_') or not name.startswith('_'))]


def members(module, text):
    import importlib
    names = set(dir(importlib.import_module(module)))
    names.update(name.rpartition('.')[2] for name in modules(module + '.'))
    return [name for name in names if name.startswith(text)
            and (text.startswith('_') or not name.startswith('_'))]


def files(text):
    import os
    folder, _, prefix = text.rpartition('/')
    start = folder + '/' if '/' in text else ''
    found = []
    for entry in os.scandir(start or '.'):
        if entry.name.startswith(prefix):
            found.append(start + entry.name + ('/' if entry.is_dir() else ''))
    return found


def names(text):
    import __main__
    import rlcompleter
    completer = rlcompleter.Completer(__main__.__dict__)
    found = []
    while len(found) < MOST:
        match = completer.complete(text, len(found))
        if match is None:
            break
        found.append(match)
    return found


def complete(line):
    """(text that is to be replaced, what it may become), of a line up to the cursor."""
    import re
    if match := re.match(r'\s*from\s+([\w.]+)\s+import\s+(?:.*[,(]\s*)?(\w*)$', line):
        return match[2], members(*match.groups())
    if match := re.match(r'\s*(?:import|from)\s+(?:.*,\s*)?([\w.]*)$', line):
        return match[1], modules(match[1])
    if match := re.search(r'''["']([^"']*)$''', line):
        if (line.count('"') + line.count("'")) % 2:
            return match[1], files(match[1])
    text = re.search(r'[\w.]*$', line)[0]
    return text, names(text) if text else []


def size_of(value):
    import sys
    try:
        return sys.getsizeof(value)
    except Exception:
        return 0


def memory():
    """The session's largest variables: (name, type, bytes); without what they refer to."""
    import __main__
    found = [(name, type(value).__name__, size_of(value))
             for name, value in list(__main__.__dict__.items()) if not name.startswith('__')]
    found.sort(key=lambda item: -item[2])
    return {'count': len(found), 'names': found[:10]}


def answer(request):
    what, text = request
    if what == 'syntax':
        return syntax(text)
    if what == 'memory':
        return memory()
    try:
        text, matches = complete(text)
    except Exception:
        return {'replace': 0, 'matches': []}
    return {'replace': len(text), 'matches': sorted(set(matches))[:MOST]}
