"""What the host runs while it makes an image with packages (src/package/image.c)."""

import importlib


def preload(name):
    """Imports a module for all sandboxes of the image. One that fails here is left to programs."""
    if not name:
        importlib.invalidate_caches()  # the folder of packages was not there when the runtime was built
        return
    try:
        importlib.import_module(name)
    except BaseException:
        pass
