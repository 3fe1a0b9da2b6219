"""TLS connections: the host's objects (_eryx_tls) between a socket, or two memory buffers, and the program."""

import base64
import json
import weakref

import _eryx_tls as host
import _socket

WANT_READ, WANT_WRITE, CLOSED, CUT, FAILED, STALE = -2, -3, -4, -5, -6, -7
(TEXT_ERROR, TEXT_VERSION, TEXT_CIPHER, TEXT_ALPN, TEXT_PEER_DER, TEXT_PEER_JSON, TEXT_VERIFIED,
 TEXT_PRESENTED, TEXT_UNIQUE) = range(9)
COUNT_PLAIN, COUNT_HELD = 0, 1

_receive_into = _socket.socket.recv_into
_send = _socket.socket.send
_chunk = bytearray()  # what comes from a socket; free between two calls. 64 KiB once it is used

# Connections that hold back the end of what was written, because it could be the beginning of a secret's
# placeholder. The event loop lets it go before it waits.
held = weakref.WeakSet()


class SSLError(OSError):
    """An error occurred in the SSL implementation."""

    reason = library = None

    def __str__(self):
        return self.strerror if isinstance(self.strerror, str) else str(self.args)


class SSLZeroReturnError(SSLError):
    """SSL/TLS session closed cleanly."""


class SSLWantReadError(SSLError):
    """Non-blocking SSL socket needs to read more data before the requested operation can be
    completed."""


class SSLWantWriteError(SSLError):
    """Non-blocking SSL socket needs to write more data before the requested operation can be
    completed."""


class SSLSyscallError(SSLError):
    """System error when attempting SSL operation."""


class SSLEOFError(SSLError):
    """SSL/TLS connection terminated abruptly."""


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate could not be verified."""

    verify_code = verify_message = None


for _class in (SSLError, SSLZeroReturnError, SSLWantReadError, SSLWantWriteError, SSLSyscallError,
               SSLEOFError, SSLCertVerificationError):
    _class.__module__ = "ssl"
del _class


class SSLSession:
    """Sessions are not resumed here, so there is none."""

    def __new__(cls):
        raise TypeError("cannot create '_ssl.SSLSession' instances")


def failure():
    """The exception for the host's last failure."""
    library, reason, code, message = host.text(0, TEXT_ERROR).decode().split("\0", 3)
    if reason == "CERTIFICATE_VERIFY_FAILED":
        error = SSLCertVerificationError(
            1, f"[{library}: {reason}] certificate verify failed: {message}")
        error.verify_code = int(code)
        error.verify_message = message
    else:
        error = SSLError(1, f"[{library}: {reason}] {message}")
    error.library = library
    error.reason = reason
    return error


def check(status):
    """Raises what a status of the host says; otherwise gives it back."""
    if status >= 0:
        return status
    if status == FAILED:
        raise failure()
    if status == STALE:
        raise ConnectionResetError(
            "the TLS connection is gone: the sandbox was rolled back, forked or resumed since")
    if status == WANT_READ:
        raise SSLWantReadError(2, "The operation did not complete (read)")
    if status == WANT_WRITE:
        raise SSLWantWriteError(3, "The operation did not complete (write)")
    if status == CLOSED:
        raise SSLZeroReturnError(6, "TLS/SSL connection has been closed (EOF)")
    if status == CUT:
        raise SSLEOFError(8, "EOF occurred in violation of protocol")
    raise NotImplementedError("the host of this sandbox has no TLS")


class MemoryBIO:
    """A queue of bytes."""

    __module__ = "_ssl"

    def __init__(self):
        self._data = bytearray()
        self._ended = False

    @property
    def pending(self):
        return len(self._data)

    @property
    def eof(self):
        return self._ended and not self._data

    def read(self, size=-1, /):
        data = self._data
        if size < 0 or size >= len(data):
            result = bytes(data)
            data.clear()
        else:
            result = bytes(data[:size])
            del data[:size]
        return result

    def write(self, b, /):
        if self._ended:
            raise SSLError("cannot write() after write_eof()")
        before = len(self._data)
        self._data += memoryview(b).cast("B")
        return len(self._data) - before

    def write_eof(self):
        self._ended = True


class Certificate:
    """One of a chain."""

    __module__ = "_ssl"

    def __init__(self, der):
        self._der = der

    def public_bytes(self, format=1):
        if format == 2:
            return self._der
        if format != 1:
            raise ValueError("Unsupported format")
        text = base64.encodebytes(self._der).decode().replace("\n", "")
        lines = [text[i:i + 64] for i in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])

    def __eq__(self, other):
        return isinstance(other, Certificate) and self._der == other._der

    def __hash__(self):
        return hash(self._der)


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


class _SSLSocket:
    """The TLS side of an ssl.SSLSocket or ssl.SSLObject. `_fill` and `_ship` move encrypted bytes."""

    __module__ = "_ssl"
    server_side = False
    session_reused = False

    def __init__(self, context, hostname, owner):
        self._number = 0
        self.server_hostname = hostname
        self._number = context._open(hostname or "")
        self._context = context
        self._owner = weakref.ref(owner) if owner is not None else None
        self._inserts = False

    def __del__(self):
        if self._number:
            host.drop(self._number)

    @property
    def owner(self):
        return self._owner and self._owner()

    @property
    def context(self):
        return self._context

    @context.setter
    def context(self, context):
        raise NotImplementedError("the context of a connection cannot be changed")

    @property
    def session(self):
        return None

    @session.setter
    def session(self, session):
        if session is not None:
            raise NotImplementedError("TLS sessions are not resumed in the sandbox")

    def _settle(self, status):
        """Raises for a status below 0, after the network got what the host has for it (an alert)."""
        if status < 0 and status != STALE:
            try:
                self._ship()
            except OSError:
                pass
        return check(status)

    def _move(self, status):
        """Does what a status wants of the network."""
        self._fill() if status == WANT_READ else self._ship()

    def do_handshake(self):
        number = self._number
        while (status := host.handshake(number)) in (WANT_READ, WANT_WRITE):
            self._move(status)
        self._settle(status)
        self._inserts = status == 1
        self._ship()

    def read(self, size=1024, buffer=None):
        number = self._number
        if size < 0 and buffer is None:
            raise ValueError("size should not be negative")
        while True:
            if buffer is None:
                got = host.read(number, size)
                if got.__class__ is bytes:
                    return got
            else:
                got = host.read_into(number, buffer, size)
                if got >= 0:
                    return got
            if got in (WANT_READ, WANT_WRITE):
                self._move(got)
            elif got == CLOSED:
                return b"" if buffer is None else 0
            else:
                self._settle(got)

    def write(self, data):
        number = self._number
        while (count := host.write(number, data)) in (WANT_READ, WANT_WRITE):
            self._move(count)
        if count < 0:
            self._settle(count)
        if self._inserts and host.count(number, COUNT_HELD) > 0:
            held.add(self)
        self._ship()
        return count

    def flush(self):
        """Lets go what is held back; whether there was anything."""
        held.discard(self)
        if not self._number or host.flush(self._number) != 1:
            return False
        self._ship()
        return True

    def pending(self):
        return check(host.count(self._number, COUNT_PLAIN))

    def shutdown(self):
        number = self._number
        for _ in range(2):
            while (status := host.shutdown(number)) in (WANT_READ, WANT_WRITE):
                self._move(status)
            self._settle(status)
            self._ship()
            if status == 1:
                break
        return self._transport()

    # --- What is known of the connection ---

    def _text(self, what):
        return host.text(self._number, what)

    def version(self):
        text = self._text(TEXT_VERSION)
        return text and text.decode()

    def cipher(self):
        text = self._text(TEXT_CIPHER)
        if text is None:
            return None
        name, protocol, bits = text.decode().split("\0")
        return name, protocol, int(bits)

    def selected_alpn_protocol(self):
        text = self._text(TEXT_ALPN)
        return text and text.decode()

    def compression(self):
        return None

    def shared_ciphers(self):
        return None

    def getpeercert(self, binary_form=False, /):
        if self._text(TEXT_VERSION) is None:
            raise ValueError("handshake not done yet")
        if binary_form:
            return self._text(TEXT_PEER_DER)
        text = self._text(TEXT_PEER_JSON)
        if text is None:
            return None
        if self._context._verify_mode == 0:
            return {}
        return {name: _tuples(value) for name, value in json.loads(text).items()}

    def _chain(self, what):
        data = self._text(what)
        if data is None:
            return None
        chain = []
        while data:
            end = 4 + int.from_bytes(data[:4], "little")
            chain.append(Certificate(data[4:end]))
            data = data[end:]
        return chain

    def get_verified_chain(self):
        return self._chain(TEXT_VERIFIED)

    def get_unverified_chain(self):
        return self._chain(TEXT_PRESENTED)

    def get_channel_binding(self, cb_type="tls-unique"):
        if cb_type != "tls-unique":
            raise ValueError(f"'{cb_type}' channel binding type not implemented")
        return self._text(TEXT_UNIQUE)

    def verify_client_post_handshake(self):
        raise NotImplementedError("post-handshake authentication is for servers")


class SocketConnection(_SSLSocket):
    """Over a socket. Its timeout counts for each wait."""

    def __init__(self, context, hostname, owner, sock):
        super().__init__(context, hostname, owner)
        self._sock = weakref.ref(sock)
        self._out = b""  # encrypted, not sent yet
        self._taken = 0  # bytes of a write whose encrypted form is in there

    def _transport(self):
        sock = self._sock()
        if sock is None:
            raise OSError("the socket of the TLS connection is gone")
        return sock

    def _ship(self):
        data = host.drain(self._number)
        if data.__class__ is not bytes:
            check(data)
        if self._out:
            data = self._out + data
            self._out = b""
        if not data:
            return
        sock = self._transport()
        try:
            while True:
                sent = _send(sock, data)
                if sent == len(data):
                    return
                data = memoryview(data)[sent:]
        except BlockingIOError:
            self._out = bytes(data)
            raise SSLWantWriteError(3, "The operation did not complete (write)") from None
        except TimeoutError:
            self._out = bytes(data)
            raise TimeoutError("The write operation timed out") from None

    def _fill(self):
        self._ship()
        if not _chunk:
            _chunk.extend(bytes(65536))
        try:
            got = _receive_into(self._transport(), _chunk)
        except BlockingIOError:
            raise SSLWantReadError(2, "The operation did not complete (read)") from None
        except TimeoutError:
            raise TimeoutError("The read operation timed out") from None
        with memoryview(_chunk) as view:
            check(host.feed(self._number, view[:got]))

    def write(self, data):
        if self._taken:  # again the data of a write that could not be sent
            self._ship()
            count, self._taken = self._taken, 0
            return count
        number = self._number
        while (count := host.write(number, data)) in (WANT_READ, WANT_WRITE):
            self._move(count)
        if count < 0:
            self._settle(count)
        if self._inserts and host.count(number, COUNT_HELD) > 0:
            held.add(self)
        try:
            self._ship()
        except SSLWantWriteError:
            self._taken = count
            raise
        return count


class MemoryConnection(_SSLSocket):
    """Between two MemoryBIOs."""

    def __init__(self, context, hostname, owner, incoming, outgoing):
        super().__init__(context, hostname, owner)
        self._incoming = incoming
        self._outgoing = outgoing

    def _transport(self):
        return None

    def _ship(self):
        data = host.drain(self._number)
        if data.__class__ is not bytes:
            check(data)
        if data:
            self._outgoing.write(data)

    def _fill(self):
        self._ship()
        data = self._incoming.read(65536)
        if not data and not self._incoming.eof:
            raise SSLWantReadError(2, "The operation did not complete (read)")
        check(host.feed(self._number, data))
