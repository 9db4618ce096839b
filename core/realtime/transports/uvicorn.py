"""uvicorn's websockets-sansio protocol, written to directly.

Relied on: `send` is a method of the protocol, which writes each frame whole, at once, to
`transport`, and keeps no frames of its own; `writable` is set unless the transport is full.
"""

from __future__ import annotations

from contextlib import closing, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from core.realtime.transports.base import DirectSocket, Send, watch_over

PROTOCOL = ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol")
TESTED = "0.54."
NEEDED = ("transport", "conn", "writable", "close_sent", "disconnected", "handshake_complete")


class UvicornSocket(DirectSocket):
    """Writes to the transport of a protocol whose handshake the application has completed."""

    __slots__ = ("_protocol", "_transport")

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self._protocol = protocol
        self._transport = protocol.transport
        watch_over(protocol.transport.get_extra_info("socket"))

    def _is_open(self) -> bool:
        protocol = self._protocol
        return not (
            protocol.close_sent
            or protocol.disconnected
            or not protocol.handshake_complete
            or self._transport.is_closing()
        )

    def _waiting(self) -> int:
        return 0 if self._protocol.disconnected else self._transport.get_write_buffer_size()

    def _write(self, wire: bytes) -> None:
        self._transport.write(wire)

    def _write_close(self, code: int, reason: str) -> None:
        """Let uvicorn close, without its waiting for a client that may never read again."""
        writable = self._protocol.writable
        was_full = not writable.is_set()
        writable.set()
        close = {"type": "websocket.close", "code": code, "reason": reason}
        with closing(self._protocol.send(close)) as sending, suppress(StopIteration, OSError):
            sending.send(None)
        if was_full:
            writable.clear()

    def _abort(self) -> None:
        self._transport.abort()


def recognise(send: Send) -> tuple[DirectSocket | None, str]:
    """The socket for this `send`; without one, what is unknown about uvicorn, or nothing."""
    protocol: Any = getattr(send, "__self__", None)
    if not any((kind.__module__, kind.__name__) == PROTOCOL for kind in type(protocol).__mro__):
        return None, ""
    if not _version().startswith(TESTED):
        return None, f"uvicorn {_version()} (tested with {TESTED}x)"
    if not all(hasattr(protocol, name) for name in NEEDED):
        return None, "a uvicorn protocol without what it had"
    if protocol.conn.extensions:
        return None, "a uvicorn protocol that compresses"
    return UvicornSocket(protocol), ""


@cache  # it reads a file
def _version() -> str:
    try:
        return version("uvicorn")
    except PackageNotFoundError:
        return "of no known version"
