"""What an import gets from the image instead of a file.

Nothing random repeats between sandboxes made from one image: `random` and the modules
that use it are loaded in the image but kept out of sys.modules; the first import takes
them from here and seeds them from the host.

asyncio and the runtime's own modules work with what is in C and in the running loop: a
program that deletes them from sys.modules gets the same ones again.
"""

import _random
import sys
from importlib.machinery import ModuleSpec
from os import urandom

_kept = {}  # name: module loaded in the image, not imported by the program yet
_lasting = {}  # name: module that is there for good
_SEEDED = "random"
_seed_state = _random.Random.seed  # what Random.seed does in the end
_LASTING = "_eryx", "eryx", "asyncio"


class Finder:
    """First in sys.meta_path: hands out the modules of the image."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in _kept or (name in _lasting and target is None):  # else it is a reload
            return ModuleSpec(name, Finder, origin="image")
        return None

    @staticmethod
    def create_module(spec):
        module = _lasting.get(spec.name) or _kept.pop(spec.name)
        Finder.specs[spec.name] = module.__spec__
        return module

    @staticmethod
    def exec_module(module):
        name = module.__spec__.name
        module.__spec__ = Finder.specs.pop(name)
        if name in _lasting:
            _reconnect(name)
        elif name == _SEEDED:
            _seed(module._inst)
        else:
            for needed in _NEEDS[name]:
                __import__(needed)

    specs = {}


def _seed(generator):
    """256 bits are enough, and ten times as fast as the 19,968 that seed() asks the host for."""
    generator.gauss_next = None
    _seed_state(generator, int.from_bytes(urandom(32)))


def _reconnect(name):
    """Other modules of the same package, which its import would have imported."""
    for other in _lasting:
        if other.startswith(f"{name}."):
            sys.modules.setdefault(other, _lasting[other])


# What a kept module holds references to without importing it again.
_NEEDS = {"tempfile": ("random",), "secrets": ("random",), "statistics": ("random",),
          "uuid": ()}


def keep():
    """Loads the modules and takes them out of sys.modules. At build time only."""
    before = set(sys.modules)
    for name in (_SEEDED, *_NEEDS):
        __import__(name)
    for name in (_SEEDED, *_NEEDS):
        if name not in before:
            _kept[name] = sys.modules.pop(name)
    for name, module in sys.modules.items():
        if name.startswith("_eryx_") or name.partition(".")[0] in _LASTING:
            _lasting[name] = module
    sys.meta_path.insert(0, Finder)


def wake():
    """This instance was made out of another's memory: what was seeded is seeded anew."""
    random = sys.modules.get(_SEEDED)
    if random is not None and hasattr(random, "_inst"):
        _seed(random._inst)
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile._name_sequence = None
    uuid = sys.modules.get("uuid")
    if uuid is not None:
        uuid._node = uuid._last_timestamp = None
    numpy_random = sys.modules.get("numpy.random.mtrand")
    if numpy_random is not None:
        numpy_random._rand.seed()
