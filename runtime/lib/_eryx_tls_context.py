"""SSLContext: settings, of which the host makes a context when the first connection wants one."""

import os
import struct
from array import array

import _eryx_tls as host
from _eryx_tls_connection import (
    FAILED, STALE, MemoryBIO, MemoryConnection, SocketConnection, SSLError, check, failure)

FORMAT_PEM, FORMAT_DER = 1, 2
TEXT_CIPHERS, TEXT_AUTHORITY_COUNT = 9, 10

PROTOCOL_TLS, PROTOCOL_TLSv1_2, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 2, 5, 16, 17
CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = 0, 1, 2
TLS_1_2, TLS_1_3 = 0x303, 0x304
VERSION_MINIMUM, VERSION_MAXIMUM = -2, -1

# SSLv3 and compression are always off.
OPTIONS_ALWAYS = 0x02000000 | 0x20000
OPTIONS_DEFAULT = OPTIONS_ALWAYS | 0x80000050 | 0x00400000 | 0x100000 | 0x80
# Those, NO_TLSv1, NO_TLSv1_1, NO_TLSv1_2, NO_TLSv1_3, NO_TICKET, NO_RENEGOTIATION
OPTIONS_KNOWN = (OPTIONS_DEFAULT | 0x04000000 | 0x10000000 | 0x08000000 | 0x20000000 | 0x4000
                 | 0x40000000)
VERIFY_KNOWN = 0x20 | 0x8000 | 0x80000  # X509_STRICT, TRUSTED_FIRST, PARTIAL_CHAIN
HOSTFLAG_NO_PARTIAL_WILDCARDS, HOSTFLAG_NEVER_CHECK_SUBJECT = 0x4, 0x20

PARSED_MAX = 16
# What the host takes.
AUTHORITIES_MAX = 2 << 20
CIPHERS_MAX, ALPN_MAX = 4000, 1024

SERVERS = "the sandbox has no TLS servers: their private keys would have to be in it"
KEYS = "certificates with private keys cannot be loaded: keys stay out of the sandbox"
PSK = "pre-shared keys are not supported: keys stay out of the sandbox"
KEY_LOG = "keylog_filename: there are no key logs: the keys of connections stay with the host"

# (format, data) of certificates that were loaded before, and their number on the host: most programs
# load the same ones for each connection.
_parsed = {}


def _authorities(source):
    """The number of the host's object for certificates, made if need be."""
    number = _parsed.get(source)
    if number is None:
        if len(source[1]) > AUTHORITIES_MAX:
            raise SSLError(1, "more than 2 MiB of certificates in one context")
        number = host.authorities(source[1], source[0])
        if number == FAILED:
            raise failure()
        check(number)
        if len(_parsed) >= PARSED_MAX:
            host.drop(_parsed.pop(next(iter(_parsed))))
        _parsed[source] = number
    return number


def _count(source):
    """How many certificates there are in it."""
    text = host.text(_authorities(source), TEXT_AUTHORITY_COUNT)
    if text is None:  # from before a rollback
        _parsed.clear()
        text = host.text(_authorities(source), TEXT_AUTHORITY_COUNT)
    return int(text)


def _level(ciphers):
    """The security level of a list of ciphers; 2 if it says nothing."""
    level = 2
    for word in ciphers.replace(b",", b":").replace(b" ", b":").replace(b";", b":").split(b":"):
        if word[:10] == b"@SECLEVEL=" and word[10:].isdigit():
            level = int(word[10:])
    if level < 1:
        raise NotImplementedError("@SECLEVEL=0: broken ciphers are never used here")
    return level


def _unsupported(what, why):
    def method(self, *args, **kwargs):
        raise NotImplementedError(f"{what}: {why}")

    return method


def _never(what, why, value=None):
    """A property that has one value only."""
    def get(self):
        return value

    def change(self, new):
        if new != value:
            raise NotImplementedError(f"{what}: {why}")

    return property(get, change)


class _SSLContext:
    __module__ = "_ssl"

    def __new__(cls, protocol, /):
        if protocol == PROTOCOL_TLS_SERVER:
            raise NotImplementedError(SERVERS)
        if protocol not in (PROTOCOL_TLS, PROTOCOL_TLSv1_2, PROTOCOL_TLS_CLIENT):
            raise ValueError("invalid or unsupported protocol version")
        self = super().__new__(cls)
        client = protocol == PROTOCOL_TLS_CLIENT
        self._protocol = protocol
        self._check_hostname = client
        self._verify_mode = CERT_REQUIRED if client else CERT_NONE
        self._verify_flags = 0x8000
        self._options = OPTIONS_DEFAULT
        self._minimum = TLS_1_2
        self._maximum = TLS_1_2 if protocol == PROTOCOL_TLSv1_2 else VERSION_MAXIMUM
        self._flags = HOSTFLAG_NO_PARTIAL_WILDCARDS
        self._ciphers = b""
        self._level = 2
        self._alpn = b""
        self._system_trust = False
        self._sources = []  # of certificates to be trusted: (format, data)
        self._number = 0    # of the host's context; 0: not made, or settings have changed
        return self

    def __del__(self):
        self._changed()

    # --- The host's context ---

    def _changed(self):
        if getattr(self, "_number", 0):
            host.drop(self._number)
        self._number = 0

    def _make(self):
        words = struct.pack(
            "<9I", self._verify_mode != CERT_NONE, self._check_hostname, self._system_trust,
            not self._flags & HOSTFLAG_NO_PARTIAL_WILDCARDS,
            bool(self._flags & HOSTFLAG_NEVER_CHECK_SUBJECT), self._verify_flags,
            self._options & 0xffffffff, TLS_1_2 if self._minimum < 0 else self._minimum,
            TLS_1_3 if self._maximum < 0 else self._maximum)
        numbers = array("I", map(_authorities, self._joined())).tobytes()
        return host.context(words, self._ciphers, self._alpn, numbers)

    def _joined(self):
        """One source for each format: the host has a limit on their number."""
        sources = self._sources
        return [(form, (b"\n" if form == FORMAT_PEM else b"").join(
                    data for other, data in sources if other == form))
                for form in dict(sources)]

    def _made(self):
        if not self._number:
            number = self._make()
            if number == STALE:  # the certificates are from before a rollback
                _parsed.clear()
                number = self._make()
            self._number = check(number)
        return self._number

    def _open(self, hostname):
        number = host.open(self._made(), hostname)
        if number == STALE:
            self._number = 0
            number = host.open(self._made(), hostname)
        return check(number)

    # --- Connections ---

    def _client(self, server_side, server_hostname, session):
        if server_side:
            raise NotImplementedError(SERVERS)
        if session is not None:
            raise NotImplementedError("TLS sessions are not resumed in the sandbox")
        if server_hostname is not None:
            if not server_hostname or server_hostname.startswith("."):
                raise ValueError("server_hostname cannot be an empty string or start with a "
                                 "leading dot.")
            if "\0" in server_hostname:
                raise TypeError("embedded null character")
            if len(server_hostname) > 253:
                raise ValueError("server_hostname is too long")
        if self._check_hostname and server_hostname is None:
            raise ValueError("check_hostname requires server_hostname")

    def _wrap_socket(self, sock, server_side, server_hostname=None, *, owner=None, session=None):
        self._client(server_side, server_hostname, session)
        return SocketConnection(self, server_hostname, owner, sock)

    def _wrap_bio(self, incoming, outgoing, server_side, server_hostname=None, *, owner=None,
                  session=None):
        self._client(server_side, server_hostname, session)
        if not isinstance(incoming, MemoryBIO) or not isinstance(outgoing, MemoryBIO):
            raise TypeError("two MemoryBIOs are needed")
        return MemoryConnection(self, server_hostname, owner, incoming, outgoing)

    # --- Settings ---

    @property
    def protocol(self):
        return self._protocol

    @property
    def check_hostname(self):
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, value):
        value = bool(value)
        if value and self._verify_mode == CERT_NONE:
            self._verify_mode = CERT_REQUIRED
        self._check_hostname = value
        self._changed()

    @property
    def verify_mode(self):
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, value):
        if value not in (CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED):
            raise ValueError("invalid value for verify_mode")
        if value == CERT_NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._verify_mode = int(value)
        self._changed()

    @property
    def verify_flags(self):
        return self._verify_flags

    @verify_flags.setter
    def verify_flags(self, value):
        if value & ~VERIFY_KNOWN:
            raise NotImplementedError(f"verify_flags {value & ~VERIFY_KNOWN:#x}: neither revocation "
                                      "lists nor proxy certificates are supported")
        self._verify_flags = int(value)
        self._changed()

    @property
    def options(self):
        return self._options

    @options.setter
    def options(self, value):
        value = int(value)
        if value & ~OPTIONS_KNOWN:
            raise NotImplementedError(f"options {value & ~OPTIONS_KNOWN:#x} are not supported")
        if OPTIONS_ALWAYS & ~value:
            raise NotImplementedError("SSLv3 and compression cannot be turned on")
        self._options = value
        self._changed()

    def _version(self, value, other):
        if value in (VERSION_MINIMUM, VERSION_MAXIMUM, TLS_1_2, TLS_1_3):
            return int(value)
        if value in (0x300, 0x301, 0x302):
            raise ValueError(f"Unsupported TLS version {value:#x}: TLS 1.2 is the oldest here")
        raise ValueError(f"Unsupported TLS/SSL version {value:#x}")

    @property
    def minimum_version(self):
        return self._minimum

    @minimum_version.setter
    def minimum_version(self, value):
        value = self._version(value, None)
        self._minimum = TLS_1_3 if value == VERSION_MAXIMUM else value
        self._changed()

    @property
    def maximum_version(self):
        return self._maximum

    @maximum_version.setter
    def maximum_version(self, value):
        value = self._version(value, None)
        self._maximum = TLS_1_2 if value == VERSION_MINIMUM else value
        self._changed()

    @property
    def _host_flags(self):
        return self._flags

    @_host_flags.setter
    def _host_flags(self, value):
        if value & ~(HOSTFLAG_NO_PARTIAL_WILDCARDS | HOSTFLAG_NEVER_CHECK_SUBJECT):
            raise NotImplementedError(f"host flags {value:#x} are not supported")
        self._flags = value
        self._changed()

    def _set_alpn_protocols(self, protocols, /):
        protocols = bytes(protocols)
        if len(protocols) > ALPN_MAX:
            raise ValueError(f"ALPN protocols of more than {ALPN_MAX} bytes")
        self._alpn = protocols
        self._changed()

    def set_ciphers(self, ciphers, /):
        before = self._ciphers
        ciphers = ciphers.encode("ascii")
        if b"\0" in ciphers:
            raise ValueError("embedded null character")
        if not ciphers or len(ciphers) > CIPHERS_MAX:
            raise SSLError(1, "No cipher can be selected.")
        level = _level(ciphers)
        self._ciphers = ciphers
        self._changed()
        try:
            self._made()
        except SSLError:
            self._ciphers = before
            raise SSLError(1, "No cipher can be selected.") from None
        self._level = level

    def get_ciphers(self):
        return [{"name": name} for name in host.text(self._made(), TEXT_CIPHERS).decode().split()]

    # --- Trust ---

    def set_default_verify_paths(self):
        self._system_trust = True
        self._changed()

    def _trust(self, form, data):
        source = form, data
        if source in self._sources:
            return
        _authorities(source)  # says now what is wrong with them
        self._sources.append(source)
        try:
            self._changed()
            for joined in self._joined():
                _authorities(joined)
        except SSLError:
            self._sources.pop()
            raise

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        if cadata is not None:
            if isinstance(cadata, str):
                try:
                    cadata = cadata.encode("ascii")
                except UnicodeEncodeError:
                    raise TypeError("cadata should be an ASCII string or a bytes-like object"
                                    ) from None
                self._trust(FORMAT_PEM, cadata)
            else:
                self._trust(FORMAT_DER, bytes(cadata))
        if cafile is not None:
            with open(cafile, "rb") as file:
                self._trust(FORMAT_PEM, file.read())
        if capath is not None:
            found = []
            for name in sorted(os.listdir(capath)):
                with open(os.path.join(os.fspath(capath), name), "rb") as file:
                    data = file.read(AUTHORITIES_MAX + 1)
                if b"-----BEGIN" in data:
                    found.append(data)
            if found:
                self._trust(FORMAT_PEM, b"\n".join(found))

    def cert_store_stats(self):
        """Of what the program loaded; the host's store is not counted."""
        count = sum(map(_count, self._joined()))
        return {"x509": count, "crl": 0, "x509_ca": count}

    # --- What there is not ---

    load_cert_chain = _unsupported("load_cert_chain", KEYS)
    load_dh_params = _unsupported("load_dh_params", SERVERS)
    get_ca_certs = _unsupported("get_ca_certs", "the certificates are with the host")
    set_ecdh_curve = _unsupported("set_ecdh_curve", "the host chooses the groups")
    set_groups = _unsupported("set_groups", "the host chooses the groups")
    set_psk_client_callback = _unsupported("set_psk_client_callback", PSK)
    set_psk_server_callback = _unsupported("set_psk_server_callback", PSK)
    session_stats = _unsupported("session_stats", "TLS sessions are not resumed in the sandbox")
    sni_callback = _never("sni_callback", SERVERS)
    _msg_callback = _never("_msg_callback", "messages of the handshake stay with the host")
    post_handshake_auth = _never("post_handshake_auth", "certificates of clients are not supported")
    num_tickets = _never("num_tickets", SERVERS)
    security_level = property(lambda self: self._level)

    def _key_log(self):
        raise AttributeError(KEY_LOG, name="keylog_filename", obj=self)

    def _set_key_log(self, value):
        if value is not None:
            raise NotImplementedError(KEY_LOG)

    keylog_filename = property(_key_log, _set_key_log)
