# Runs in a session's sandbox for file jobs: answer((what, path, data)) gives JSON, in a namespace of
# its own. Paths are relative to the home folder, wherever the program has gone.


def answer(request):
    import base64
    import os
    what, path, data = request
    path = os.path.join('/home/sandbox', path)
    if what == 'put':
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(base64.b64decode(data))
        return None
    if what == 'delete':
        os.remove(path)
        return None
    if what == 'get':
        size = os.stat(path).st_size
        if size > int(data):
            raise OSError(f'the file has {size} bytes, more than the {data} that can be read')
        with open(path, 'rb') as file:
            return base64.b64encode(file.read()).decode()
    entries = []
    for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
        entries.append({'name': entry.name, 'type': 'folder' if entry.is_dir() else 'file',
                        'size': entry.stat().st_size})
    return entries
