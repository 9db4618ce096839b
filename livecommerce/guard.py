"""The protocols of both servers, behind limits: nobody keeps all others waiting, or fills memory.

Who sends more than its limits is told why, is not listened to any more, and is dropped soon.
"""

from __future__ import annotations

import time
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.tcp import Connection
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from core.realtime.transports.gate import Gate, Limits

# Well above what a camera takes, so that it can answer itself why a message is too big.
MESSAGE_LIMIT = 4 * 1024 * 1024
# Commands are counted again, by the room (60 at once, 20 a second), which answers "too many" first.
ROOM = Limits(
    message=64 * 1024, frames=400, frames_per_s=100, bytes=512 * 1024, bytes_per_s=64 * 1024
)
# Ten big messages a second, which a browser may send in many frames each.
CAMERA = Limits(
    message=MESSAGE_LIMIT, frames=2000, frames_per_s=2000, bytes=1 << 40, bytes_per_s=1 << 40
)
CAMERAS = "/ws/ingest/"
# For a client to read why: what it still sends is thrown away, and then the connection is.
DROPPED_WITHIN_S = 1.0
THROWN_AWAY_AT_MOST = 2 * 1024 * 1024
END_OF_HEAD = b"\r\n\r\n"
# Of a request's line and headers, and of any part of it that the parser keeps until it is whole.
HEAD_LIMIT = 64 * 1024
HEADERS_LIMIT = 200
BASIC_ERROR = WebRequest.handle_exception
NOTHING_MORE = b"content-length: 0\r\nconnection: close\r\n\r\n"


def gate_of(path: str) -> Gate:
    return Gate(CAMERA if path.startswith(CAMERAS) else ROOM, time.monotonic())


class HeadTooLargeError(Exception):
    """A request has more headers, or longer ones, than anybody's browser sends."""


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's protocol of HTTP by httptools, which has no limits of its own."""

    _unread = 0
    """Bytes since the parser last had something whole to tell of."""
    _headers_left = HEADERS_LIMIT

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > HEAD_LIMIT and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        self._unread = 0
        self._headers_left = HEADERS_LIMIT
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers_left -= 1
        if self._headers_left < 0:
            self._refuse()
            raise HeadTooLargeError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():  # for it was refused already
            super().send_400_response(msg)

    def _refuse(self) -> None:
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not is_answering:
            self.transport.write(STATUS_LINE[431] + NOTHING_MORE)
        self.transport.close()


class GuardedUvicorn(WebSocketsSansIOProtocol):
    """uvicorn's protocol, which is given the request first and alone."""

    _gate: Gate | None = None

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            super().data_received(data)
            return
        if self._gate is None:
            self._gate = gate_of(self.scope["path"])
        if self._gate.is_shut:
            if self._gate.refused(data) > THROWN_AWAY_AT_MOST:
                self.transport.abort()
        elif (code := self._gate.code(data, time.monotonic())) is None:
            super().data_received(data)
        else:
            self._shut(code)

    def _shut(self, code: int) -> None:
        if self.close_sent or self.conn.state is not State.OPEN or self.transport.is_closing():
            self.transport.abort()
            return
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():  # TLS ends both ways at once: the timer does that
            self.transport.write_eof()
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        self.close_timer = self.loop.call_later(DROPPED_WITHIN_S, self.transport.abort)


class GuardedDaphne(WebSocketProtocol):  # type: ignore[misc]
    """Daphne's protocol, which is given the request first, with whatever came behind it."""

    _gate: Gate | None = None

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's word
        if self._gate is None:
            head, end, data = data.partition(END_OF_HEAD)
            self._gate = gate_of(head.split(b" ", 2)[1].decode("latin1"))
            super().dataReceived(head + end)
        if data and self.state == self.STATE_CONNECTING:
            self.transport.abortConnection()  # it may not speak before it was answered
        elif data:
            self._hear(self._gate, data)

    def serverSend(self, content: bytes | str, binary: bool = False) -> None:  # noqa: N802
        """Nothing, to who has just gone: the application is about to be told so."""
        if self.state in {self.STATE_CONNECTING, self.STATE_OPEN}:
            super().serverSend(content, binary)

    def _hear(self, gate: Gate, data: bytes) -> None:
        if gate.is_shut:
            if gate.refused(data) > THROWN_AWAY_AT_MOST:
                self.dropConnection(abort=True)
        elif (code := gate.code(data, time.monotonic())) is None:
            super().dataReceived(data)
        else:
            self._shut(code)

    def _shut(self, code: int) -> None:
        if self.state != self.STATE_OPEN:
            self.dropConnection(abort=True)
            return
        self.unregisterProducer()
        self.sendCloseFrame(code)  # autobahn drops the connection a second later
        is_plain = isinstance(self.transport, Connection)
        if is_plain:  # over TLS it would end before the frame is out
            self.transport.loseWriteConnection()


def break_off(request: WebRequest, error: Exception) -> None:
    """Answer 500; of an answer that has begun, nobody may take half for the whole.

    Daphne itself fails at that, and from then on forgets no connection any more.
    """
    if not request._response_started:
        BASIC_ERROR(request, error)
    elif request.channel is not None:
        request.channel.forceAbortClient()


def guard_daphne(factory: Any) -> None:
    """Let a Daphne server's factory for sockets make guarded ones; its answers end or break."""
    WebRequest.handle_exception = break_off
    factory.protocol = GuardedDaphne
    # A socket that breaks a rule is closed with a code (1009) instead of dropped.
    factory.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=DROPPED_WITHIN_S)
