"""A buyer's connections: HTTP and the room's socket, which can be cut at any moment by either side.

Every request either has an answer or raises `Unknown`: then nobody knows whether it was done.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from dataclasses import dataclass
from typing import Any

from bench.wire import client_frame, next_frame

ANSWER_WITHIN_S = 8.0
CSRF = "c" * 32
HOST = "127.0.0.1"
CUT_AFTER_S = 0.03
Json = dict[str, Any]


class Unknown(Exception):
    """The line broke before the answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`order` as the product tells it, or why not; `status` as of HTTP."""

    status: int
    body: Json

    @property
    def code(self) -> str:
        return str(self.body.get("code", self.status))


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a buyer's own line breaks: after a share of the request, and then after seconds."""

    share: float
    after_s: float

    @classmethod
    def draw(cls, luck: random.Random) -> Cut:
        """In the middle of the request, right after it, or while it is being done and answered."""
        if luck.random() < 0.25:
            return cls(luck.random(), 0.0)
        return cls(1.0, luck.choice((0.0, luck.uniform(0, CUT_AFTER_S))))


class Line:
    """One connection, opened when it is needed and again after it broke."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.port = 0

    def drop(self) -> None:
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None

    async def open(self, port: int) -> None:
        if self.writer is not None and (self.writer.is_closing() or self.port != port):
            self.drop()
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, port, limit=2**22)
            self.port = port
            await self.opened()

    async def opened(self) -> None:
        """The connection is there."""

    async def exchange(self, port: int, request: Json, cut: Cut | None) -> Answer:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self.open(port)
                assert self.writer is not None
                sent = self.encoded(request)
                if cut is None:
                    self.writer.write(sent)
                    return await self.answer()
                self.writer.write(sent[: int(len(sent) * cut.share)])
                async with asyncio.timeout(cut.after_s):
                    return await self.answer()
        except (OSError, EOFError, TimeoutError) as error:
            self.drop()
            raise Unknown("cut" if cut else type(error).__name__) from error

    def encoded(self, request: Json) -> bytes:
        raise NotImplementedError

    async def answer(self) -> Answer:
        raise NotImplementedError


class HttpLine(Line):
    """Requests are {"method", "path", "key", "body"}."""

    def encoded(self, request: Json) -> bytes:
        body = json.dumps(request["body"]).encode() if request["body"] is not None else b""
        key = f"Idempotency-Key: {request['key']}\r\n" if request.get("key") else ""
        head = (
            f"{request['method']} {request['path']} HTTP/1.1\r\nHost: localhost\r\n"
            f"Cookie: sessionid={self.session}; csrftoken={CSRF}\r\nX-CSRFToken: {CSRF}\r\n"
            f"Content-Type: application/json\r\n{key}Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def answer(self) -> Answer:
        assert self.reader is not None
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin1").lower()
        first, *fields = head.split("\r\n")
        sizes = [int(one[15:]) for one in fields if one.startswith("content-length:")]
        if not sizes:
            raise ConnectionError(f"no length: {head[:300]}")
        body = await self.reader.readexactly(sizes[0])
        status = int(first.split()[1])
        is_json = "json" in head
        return Answer(status, json.loads(body) if is_json and body else {})


class RoomLine(Line):
    """Requests are the data of `order.place`."""

    def __init__(self, session: str, show: str) -> None:
        super().__init__(session)
        self._show = show
        self._numbers = itertools.count(1)
        self._number = 0
        self._read = bytearray()

    async def opened(self) -> None:
        assert self.writer is not None
        assert self.reader is not None
        self._read.clear()
        head = (
            f"GET /ws/shows/{self._show}/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nOrigin: http://localhost\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
            f"Cookie: sessionid={self.session}\r\n\r\n"
        )
        self.writer.write(head.encode())
        said = await self.reader.readuntil(b"\r\n\r\n")
        if not said.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(said[:100])

    def encoded(self, request: Json) -> bytes:
        self._number = next(self._numbers)
        told = {"id": self._number, "do": "order.place", "data": request}
        return client_frame(json.dumps(told).encode())

    async def answer(self) -> Answer:
        """What the room tells besides is read and forgotten."""
        start = b'{"id":%d,' % self._number
        while True:
            frame = await self._frame()
            if frame.startswith(start):
                told = json.loads(frame)
                if "ok" in told:
                    return Answer(201, told["ok"]["order"])
                return Answer(400, told["error"])

    async def _frame(self) -> bytes:
        assert self.reader is not None
        while (found := next_frame(self._read, 0)) is None:
            more = await self.reader.read(65536)
            if not more:
                raise EOFError
            self._read += more
        begins, ends = found
        is_close = self._read[0] & 0x0F == 0x8
        frame = bytes(self._read[begins:ends])
        del self._read[:ends]
        if is_close:
            raise EOFError
        return frame
