from __future__ import annotations

import asyncio

from core.realtime.sockets import QueuedSocket
from tests.realtime import until


class Wire:
    """The server's side of a socket, which can be blocked as a slow network blocks it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.sent: list[str] = []
        self.code: int | None = None

    async def text(self, text: str) -> None:
        await self.open.wait()
        self.sent.append(text)

    async def close(self, code: int) -> None:
        await self.open.wait()
        self.code = code


async def test_what_is_released_first_is_sent_first() -> None:
    wire = Wire()
    socket = QueuedSocket(wire.text, wire.close, viewer_key=None)
    socket.offer("event")
    socket.release("hello", "missed")
    await until(lambda: len(wire.sent) == 3)
    assert wire.sent == ["hello", "missed", "event"]
    socket.gone()


async def test_nothing_is_sent_before_the_release() -> None:
    wire = Wire()
    socket = QueuedSocket(wire.text, wire.close, viewer_key=None)
    socket.offer("early")
    await asyncio.sleep(0)
    assert wire.sent == []


async def test_a_blocked_socket_takes_no_more_than_its_limit() -> None:
    wire = Wire()
    socket = QueuedSocket(wire.text, wire.close, viewer_key=None, limit=3)
    socket.release()
    wire.open.clear()
    taken = [socket.offer(str(number)) for number in range(5)]
    assert taken == [True, True, True, False, False]
    socket.close(4408)
    wire.open.set()
    await until(lambda: wire.code)
    assert wire.code == 4408
    assert len(wire.sent) <= 1  # the one that was on its way


async def test_the_first_reason_to_close_is_the_one_that_is_told() -> None:
    wire = Wire()
    socket = QueuedSocket(wire.text, wire.close, viewer_key=None)
    socket.close(4403)
    socket.close(4503)
    await until(lambda: wire.code)
    assert wire.code == 4403


async def test_a_client_that_is_gone_ends_the_sending_quietly() -> None:
    async def broken(text: str) -> None:
        raise ConnectionResetError

    socket = QueuedSocket(broken, Wire().close, viewer_key=None)
    socket.release("hello")
    sending = socket._sending
    assert sending is not None
    await asyncio.wait([sending])
    assert sending.exception() is None
