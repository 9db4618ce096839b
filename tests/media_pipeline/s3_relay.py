"""A relay before an S3 server that can fail as such servers do: errors, slowness, halves, flips."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>Try again.</Message></Error>"
)


class Relay:
    """`address` stands for the server. Each `fail` is for so many requests that `match` fits.

    It speaks one request per connection, so that what it does is done to that one.
    """

    def __init__(self, server: str) -> None:
        self._host, _, port = server.partition(":")
        self._port = int(port)
        self.address = ""
        self.asked: list[str] = []
        self.failed = 0
        self._kind, self._left, self._match, self._after = "", 0, re.compile(""), 0

    def fail(self, kind: str, times: int, match: str = "", *, after: int = 0) -> None:
        """`500`, `cut` (half of the answer), `flip` (a byte of what is sent), `hang` (no answer),
        `lost` (the server does it, and nobody hears of it) or `refuse`; not the first `after`."""
        self._kind, self._left, self._match, self.failed = kind, times, re.compile(match), 0
        self._after = after

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._carry(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.partition(b"\r\n")[0].decode()
        self.asked.append(line)
        if b"100-continue" in head:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = re.sub(rb"(?i)\r\nexpect: *100-continue", b"", head)
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        kind = self._take(line)
        if kind == "500":
            writer.write(
                b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/xml\r\n"
                b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(_SLOW_DOWN) + _SLOW_DOWN
            )
            await writer.drain()
            return
        if kind == "refuse":
            writer.transport.abort()
            return
        if kind == "hang":
            await reader.read()  # until the client gives up
            return
        if kind == "flip" and body:
            body = body[:-1] + bytes([body[-1] ^ 1])
        answer = await self._ask(re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head), body)
        if kind == "lost":
            writer.transport.abort()
            return
        writer.write(answer[: len(answer) // 2] if kind == "cut" else answer)
        await writer.drain()

    def _take(self, line: str) -> str:
        if not self._left or not self._match.search(line):
            return ""
        if self._after:
            self._after -= 1
            return ""
        self._left -= 1
        self.failed += 1
        return self._kind

    async def _ask(self, head: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(head[:-2] + b"connection: close\r\n\r\n" + body)
        answer = await reader.read()
        writer.close()
        return re.sub(rb"(?i)\r\nconnection: keep-alive", b"\r\nconnection: close", answer, count=1)


@contextmanager
def relay(server: str) -> Iterator[Relay]:
    """A relay to the server at `host:port`, in a thread of its own."""
    found = Relay(server)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def done(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return asyncio.run_coroutine_threadsafe(work(), loop).result(10)

    listener = done(lambda: asyncio.start_server(found.carry, "127.0.0.1", 0, limit=2**20))
    host, port = listener.sockets[0].getsockname()
    found.address = f"{host}:{port}"
    try:
        yield found
    finally:
        done(lambda: _close(listener))
        done(lambda: _all_ended(asyncio.current_task(loop)))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(listener: asyncio.Server) -> None:
    """On its own loop, where a connection may end at this moment."""
    listener.close()


async def _all_ended(but: Any) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
