"""The smallest WebSocket client that a room needs: two thousand of them share one core.

Only what a correct server sends is understood; anything else ends the connection, which the
checkers count. Frames go out with a mask of zeros, which RFC 6455 allows and costs nothing.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # the one of the RFC: nothing here is a secret
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FIN = 0x80
MASKED = 0x80
GONE = 1006


class Listener(Protocol):
    """Who is told what comes."""

    def opened(self) -> None: ...
    def told(self, text: bytes) -> None: ...
    def closed(self, code: int, reason: str) -> None: ...


class Wire(asyncio.Protocol):
    """One WebSocket."""

    __slots__ = ("_buffer", "_end", "_listener", "_open", "_parts", "_request", "transport")

    def __init__(self, listener: Listener, host: str, target: str) -> None:
        self._listener = listener
        self._request = (
            f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {KEY.decode()}\r\n\r\n"
        ).encode()
        self._buffer = b""
        self._open = False
        self._parts: list[bytes] = []
        self._end: tuple[int, str] = (GONE, "")
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        if not self._open:
            data = self._handshake(data)
            if not self._open:
                self._buffer = data
                return
        self._read(data)

    def _handshake(self, data: bytes) -> bytes:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            return data
        if not head.startswith(b"HTTP/1.1 101"):
            self._end = (GONE, head.split(b"\r\n")[0].decode("latin1"))
            self.abort()
            return b""
        self._open = True
        self._listener.opened()
        return rest

    def _read(self, data: bytes) -> None:
        at, size = 0, len(data)
        while size - at >= 2:
            first, length = data[at], data[at + 1]
            start = at + 2
            if length == 126:
                start = at + 4
                length = int.from_bytes(data[at + 2 : start], "big")
            elif length == 127:
                start = at + 10
                length = int.from_bytes(data[at + 2 : start], "big")
            if size < start or size - start < length:
                break
            at = start + length
            self._frame(first, data[start:at])
        self._buffer = data[at:]

    def _frame(self, first: int, payload: bytes) -> None:
        code = first & 0x0F
        if code == TEXT and first & FIN:
            self._listener.told(payload)
        elif code == PING:
            self._send(PONG, payload)
        elif code == CLOSE:
            number = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            self._end = (number, payload[2:].decode("utf-8", "replace"))
            self._send(CLOSE, payload[:2])
            if self.transport is not None:
                self.transport.close()
        elif code in (TEXT, 0):
            self._parts.append(payload)
            if first & FIN:
                whole = b"".join(self._parts)
                self._parts.clear()
                self._listener.told(whole)

    def send(self, text: bytes) -> None:
        self._send(TEXT, text)

    def _send(self, code: int, payload: bytes) -> None:
        if self.transport is None:
            return
        size = len(payload)
        if size < 126:
            head = bytes((FIN | code, MASKED | size))
        else:
            head = bytes((FIN | code, MASKED | 126)) + size.to_bytes(2, "big")
        self.transport.write(head + b"\0\0\0\0" + payload)

    def abort(self) -> None:
        """Forget the connection: what comes is heard no more."""
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._listener.closed(*self._end)
