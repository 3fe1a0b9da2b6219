"""What TLS connections of asyncio hold back goes out before the event loop waits.

The end of what was written is held when it could be the beginning of a secret's placeholder
(_eryx_tls_connection.held). A program that then waits for an answer expects it to be sent.
"""

import weakref
from asyncio import sslproto

from _eryx_tls_connection import held

_writing = weakref.WeakSet()  # protocols that have written something that is held
_do_write = sslproto.SSLProtocol._do_write


def _write(self):
    _do_write(self)
    if held:
        _writing.add(self)


sslproto.SSLProtocol._do_write = _write


def flush():
    for protocol in list(_writing):
        connection = protocol._sslobj and protocol._sslobj._sslobj
        if connection in held:
            try:
                connection.flush()
                protocol._process_outgoing()
            except Exception as error:
                protocol._fatal_error(error)
    _writing.clear()
    for connection in list(held):
        try:
            connection.flush()
        except OSError:
            pass  # the next read or write tells
