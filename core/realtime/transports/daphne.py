"""Daphne's WebSocket protocol (autobahn on Twisted), written to directly.

Relied on: `send` is `partial(<a method>, protocol)`; autobahn writes each frame whole and at once
to a Twisted TCP transport, whose buffers are `dataBuffer` from `offset` and `_tempDataLen` more.
Bytes go to the operating system right away where nothing waits: Twisted's own `write` would ask
the event loop to watch the connection, and to stop, for each frame.
"""

from __future__ import annotations

from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.realtime.transports.base import DirectSocket, Send, watch_over

PROTOCOL = ("daphne.ws_protocol", "WebSocketProtocol")
TRANSPORT = "twisted.internet.tcp"
TESTED = {"daphne": "4.2.", "autobahn": "26.", "twisted": "26."}
NEEDED = ("state", "send_queue", "sendClose", "unregisterProducer", "dropConnection")
NEEDED_OF_TRANSPORT = (
    "socket",
    "connected",
    "dataBuffer",
    "offset",
    "_tempDataLen",
    "writeSomeData",
)


class DaphneSocket(DirectSocket):
    """Writes to the connection of a protocol whose handshake the application has completed."""

    __slots__ = ("_open_state", "_protocol", "_transport")

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self._protocol = protocol
        self._transport = protocol.transport
        watch_over(protocol.transport.socket)
        self._open_state: int = protocol.STATE_OPEN

    def _is_open(self) -> bool:
        return self._protocol.state == self._open_state and bool(self._transport.connected)

    def _waiting(self) -> int:
        transport = self._transport
        if not transport.connected:
            return 0
        waiting: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
        return waiting

    def _write(self, wire: bytes) -> None:
        if self._protocol.send_queue:  # autobahn has frames of its own under way
            self._protocol.sendData(wire)
            return
        taken = 0 if self._waiting() else self._transport.writeSomeData(wire)
        if isinstance(taken, Exception):
            return  # the connection is lost, of which Twisted learns by reading
        if taken < len(wire):
            self._transport.write(wire[taken:])

    def _write_close(self, code: int, reason: str) -> None:
        """Not by Daphne, which drops the reason. A transport with a producer would not close."""
        self._protocol.unregisterProducer()
        self._protocol.sendClose(code, reason)

    def _abort(self) -> None:
        self._protocol.dropConnection(abort=True)


def recognise(send: Send) -> tuple[DirectSocket | None, str]:
    """The socket for this `send`; without one, what is unknown about Daphne, or nothing."""
    if not isinstance(send, partial) or len(send.args) != 1:
        return None, ""
    protocol: Any = send.args[0]
    if not any((kind.__module__, kind.__name__) == PROTOCOL for kind in type(protocol).__mro__):
        return None, ""
    return (None, problem) if (problem := _problem(protocol)) else (DaphneSocket(protocol), "")


def _problem(protocol: Any) -> str:
    for package, tested in TESTED.items():
        if not _version(package).startswith(tested):
            return f"{package} {_version(package)} (tested with {tested}x)"
    transport = protocol.transport
    if type(transport).__module__ != TRANSPORT:
        return f"Daphne over {type(transport).__module__}"
    has_all = all(hasattr(protocol, name) for name in NEEDED)
    if not has_all or not all(hasattr(transport, name) for name in NEEDED_OF_TRANSPORT):
        return "a Daphne protocol without what it had"
    if protocol._perMessageCompress is not None:
        return "a Daphne protocol that compresses"
    return ""


@cache  # it reads a file
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of no known version"
