"""A websocket behind a bounded queue: the adapter that works on every ASGI server."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

QUEUED_FRAMES = 64

SendText = Callable[[str], Awaitable[None]]
SendClose = Callable[[int], Awaitable[None]]


class QueuedSocket:
    """Takes frames without waiting and sends them one after the other.

    Nothing is sent before `release`, so that what the room tells while the first frame is being
    prepared comes after it.
    """

    def __init__(
        self,
        send_text: SendText,
        send_close: SendClose,
        *,
        viewer_key: str | None,
        limit: int = QUEUED_FRAMES,
    ) -> None:
        self.viewer_key = viewer_key
        self._send_text = send_text
        self._send_close = send_close
        self._limit = limit
        self._queue: deque[str] = deque()
        self._closing: int | None = None
        self._work = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_closing(self) -> bool:
        return self._closing is not None

    def offer(self, text: str) -> bool:
        if self._closing is not None:
            return True
        if len(self._queue) >= self._limit:
            return False
        self._queue.append(text)
        self._work.set()
        return True

    def release(self, *first: str) -> None:
        """Begin to send: these frames, then whatever was offered meanwhile."""
        self._queue.extendleft(reversed(first))
        self._work.set()
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())

    def close(self, code: int) -> None:
        """Drop what waits and close; takes effect once the frame on its way is written."""
        if self._closing is None:
            self._closing = code
            self._queue.clear()
            self.release()

    def gone(self) -> None:
        """The other side is gone: stop sending."""
        self._closing = self._closing or 1000
        if self._sending is not None:
            self._sending.cancel()

    async def _send_all(self) -> None:
        with suppress(OSError):  # uvicorn's way of saying that the client has just gone
            await self._send_until_closing()

    async def _send_until_closing(self) -> None:
        while self._closing is None:
            await self._work.wait()
            self._work.clear()
            while self._queue and self._closing is None:
                await self._send_text(self._queue.popleft())
        await self._send_close(self._closing)
