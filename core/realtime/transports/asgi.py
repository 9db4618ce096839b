"""The socket that works on every ASGI server: a bounded queue before `send`, and a task."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress

from core.realtime.frames import Media, Prepared
from core.realtime.transports.base import (
    CLOSED_WITHIN_S,
    STALLED_S,
    WAITING_AT_MOST,
    Send,
    Socket,
)


class AsgiSocket(Socket):
    """Takes frames without waiting and sends them one after the other.

    It cannot see what the server still has to write: a `send` that does not return is how it
    learns that the client does not read.
    """

    __slots__ = (
        "_bytes",
        "_queue",
        "_reason",
        "_released",
        "_send",
        "_sending",
        "_sending_since",
        "_work",
    )

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send
        self._reason = ""
        self._queue: deque[str | bytes] = deque()
        self._bytes = 0
        self._released = False
        self._work = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._sending_since: float | None = None

    def offer(self, frame: Prepared) -> bool:
        return self._take(frame.texts)

    def answer(self, text: str) -> bool:
        return self._take((text,))

    def owes(self) -> int:
        return self._bytes

    def pass_on(self, media: Media) -> None:
        if self.code is None:
            self._queue.append(media.message)
            self._bytes += len(media.message)
            self._work.set()

    def release(self, *first: str) -> None:
        self._queue.extendleft(reversed(first))
        self._bytes += sum(map(len, first))
        self._released = True
        self._work.set()
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())

    def close(self, code: int, reason: str = "") -> None:
        """Takes effect once the frame on its way is written, or after a short grace."""
        if self.code is None:
            self.code, self._reason = code, reason
            self._queue.clear()
            self.release()
            asyncio.get_running_loop().call_later(CLOSED_WITHIN_S, self._give_up)

    def gone(self) -> None:
        self.code = self.code or 1000
        self._give_up()

    def _take(self, texts: tuple[str, ...]) -> bool:
        if self.code is not None:
            return True
        size = sum(map(len, texts))
        if self._bytes + size > WAITING_AT_MOST or self._is_stalled():
            return False
        self._queue.extend(texts)
        self._bytes += size
        self._work.set()
        return True

    def _is_stalled(self) -> bool:
        since = self._sending_since
        return since is not None and time.monotonic() - since >= STALLED_S

    def _give_up(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    async def _send_all(self) -> None:
        with suppress(OSError):  # uvicorn's way of saying that the client has just gone
            await self._send_until_closing()

    async def _send_until_closing(self) -> None:
        while self.code is None:
            await self._work.wait()
            self._work.clear()
            while self._queue and self.code is None:
                await self._send_one(self._queue.popleft())
        close = {"type": "websocket.close", "code": self.code, "reason": self._reason}
        await self._send(close)

    async def _send_one(self, message: str | bytes) -> None:
        self._sending_since = time.monotonic()
        kind = "text" if isinstance(message, str) else "bytes"
        await self._send({"type": "websocket.send", kind: message})
        self._bytes -= len(message)
        self._sending_since = None
