"""Descriptors that asyncio waits for: a selector whose waiting is done by the host.

A descriptor is armed for an event by a watch of the host (`_eryx.watch`), which ends once, like a
pending call: so waiting for the network returns to the host. It is armed when the loop has nothing to run
and not before, so a callback that reads all there is costs one watch a wait.
"""

import selectors
import socket

import _eryx

EVENTS = selectors.EVENT_READ, selectors.EVENT_WRITE

_watching = {}  # number of a watch: its selector and (fd, event)


def ready(number):
    """From C: a watch is over."""
    selector, item = _watching.pop(number, (None, None))
    if selector is not None:
        selector.fired(item)


class Selector(selectors._BaseSelectorImpl):
    """What `BaseSelectorEventLoop` registers descriptors with. `deliver(key, event)` is called for
    what is ready."""

    def __init__(self, deliver):
        super().__init__()
        self._deliver = deliver
        self._armed = {}  # (fd, event): number of the watch
        self._idle = set()  # (fd, event) to be armed

    def select(self, timeout=None):
        raise NotImplementedError("the loop waits by the host")

    def register(self, fileobj, events, data=None):
        key = super().register(fileobj, events, data)
        self._want(key)
        return key

    def modify(self, fileobj, events, data=None):
        key = super().modify(fileobj, events, data)
        self._want(key)
        return key

    def unregister(self, fileobj):
        key = super().unregister(fileobj)
        for event in EVENTS:
            self._drop((key.fd, event))
        return key

    def close(self):
        self.disarm()
        self._idle.clear()
        super().close()

    def _want(self, key):
        for event in EVENTS:
            item = key.fd, event
            if not key.events & event:
                self._drop(item)
            elif item not in self._armed:
                self._idle.add(item)

    def _drop(self, item):
        self._idle.discard(item)
        number = self._armed.pop(item, None)
        if number is not None:
            del _watching[number]
            _eryx.unwatch(number)

    def _tell(self, item):
        fd, event = item
        key = self._fd_to_key.get(fd)
        if key is not None and key.events & event:
            self._idle.add(item)
            self._deliver(key, event)

    def fired(self, item):
        if self._armed.pop(item, None) is not None:
            self._tell(item)

    def arm(self):
        """Before waiting: arms what is not. What is ready already is delivered."""
        if not self._idle:
            return
        items = list(self._idle)
        self._idle.clear()
        for item in items:
            try:
                number = _eryx.watch(*item)
            except OSError:
                number = 0  # closed behind our back: trying tells
            if number:
                self._armed[item] = number
                _watching[number] = self, item
            else:
                self._tell(item)

    def disarm(self):
        """At the end of an execution, whose watches end with it: they are armed again in the next."""
        for item, number in self._armed.items():
            del _watching[number]
            _eryx.unwatch(number)
            self._idle.add(item)
        self._armed.clear()


class _Lookup:
    """Stands for a selector while a name is looked up."""

    def __init__(self, future):
        self.future = future

    def fired(self, item):
        if not self.future.done():
            self.future.set_result(None)


_FAILED = {18: (socket.EAI_NONAME, "Name or service not known"),
           19: (socket.EAI_AGAIN, "Temporary failure in name resolution"),
           20: (socket.EAI_FAIL, "Non-recoverable failure in name resolution")}


async def resolve(loop, name):
    """Addresses of a name, as text."""
    lookup = _eryx.resolve(name)
    try:
        while (found := _eryx.resolve_end(lookup)) is None:
            number = _eryx.resolve_watch(lookup)
            if number:
                future = loop.create_future()
                watch = _watching[number] = _Lookup(future), None
                try:
                    await future
                finally:
                    if _watching.get(number) is watch:  # or the number is another's by now
                        del _watching[number]
                        _eryx.unwatch(number)
    except BaseException:
        _eryx.resolve_drop(lookup)
        raise
    if isinstance(found, int):
        raise socket.gaierror(*_FAILED[-found])
    return [socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
            for packed in found]


def is_address(host):
    for family in socket.AF_INET, socket.AF_INET6:
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return True
    return False


async def getaddrinfo(loop, host, port, family, type, proto, flags):
    """socket.getaddrinfo without blocking: it is asked about addresses, which it knows at once."""
    if host is not None:
        text = host if isinstance(host, str) else bytes(host).decode("ascii", "surrogateescape")
        if text and not is_address(text) and not flags & socket.AI_NUMERICHOST:
            infos, failure = [], None
            for address in await resolve(loop, text.encode("idna")):
                try:
                    infos += socket.getaddrinfo(address, port, family, type, proto, flags)
                except socket.gaierror as error:  # of the other family
                    failure = error
            if not infos and failure is not None:
                raise failure
            return infos
    return socket.getaddrinfo(host, port, family, type, proto, flags)
