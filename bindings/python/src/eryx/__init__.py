"""eryx: run Python you do not trust.

    >>> import asyncio, eryx
    >>> eryx.run("print('hello'); 6 * 7").value
    42

Full CPython in a WebAssembly sandbox: no files, no network, no processes, limits on time and memory.
`run` is one program, `Sandbox` a session for threads that wait, `Session` one for event loops, `Pool`
hands out many. Programs call functions of the host: `callbacks=[...]`.
"""

from ._callbacks import *
from ._errors import *
from ._eryx import version as __version__
from ._files import *
from ._grants import *
from ._limits import *
from ._loop import *
from ._options import *
from ._outcome import *
from ._pool import *
from ._profile import *
from ._runtime import *
from ._sandbox import *
from . import (_callbacks, _errors, _files, _grants, _limits, _loop, _options, _outcome, _pool, _profile,
               _runtime, _sandbox)

__all__ = [*_callbacks.__all__, *_errors.__all__, *_files.__all__, *_grants.__all__, *_limits.__all__,
           *_loop.__all__, *_options.__all__, *_outcome.__all__, *_pool.__all__,
           *_profile.__all__, *_runtime.__all__, *_sandbox.__all__]

# Names belong to the package: eryx.GuestError, not eryx._errors.GuestError.
for _name in __all__:
    _object = globals()[_name]
    if isinstance(getattr(_object, "__module__", None), str):
        try:
            _object.__module__ = "eryx"
        except (AttributeError, TypeError):
            pass
del _name, _object
