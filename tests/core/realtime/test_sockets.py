from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from core.realtime.frames import Prepared
from core.realtime.sockets import AsgiSocket
from core.realtime.transports.base import WAITING_AT_MOST
from tests.realtime import until


class Wire:
    """The server's side of a socket, which can be blocked as a slow network blocks it."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.sent: list[str] = []
        self.code: int | None = None
        self.reason = ""

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await self.open.wait()
        if message["type"] == "websocket.close":
            self.code, self.reason = message["code"], message["reason"]
        else:
            self.sent.append(message["text"])


async def test_what_is_released_first_is_sent_first() -> None:
    wire = Wire()
    socket = AsgiSocket(wire.send)
    socket.offer(Prepared("event", "now"))
    socket.release("hello", "missed")
    await until(lambda: len(wire.sent) == 4)
    assert wire.sent == ["hello", "missed", "event", "now"]
    socket.gone()


async def test_nothing_is_sent_before_the_release() -> None:
    wire = Wire()
    socket = AsgiSocket(wire.send)
    socket.offer(Prepared("early"))
    await asyncio.sleep(0)
    assert wire.sent == []


async def test_answers_and_events_keep_their_order() -> None:
    wire = Wire()
    socket = AsgiSocket(wire.send)
    socket.release()
    for number in range(10):
        socket.offer(Prepared(f"event {number}"))
        socket.answer(f"answer {number}")
    await until(lambda: len(wire.sent) == 20)
    assert wire.sent == [f"{what} {n}" for n in range(10) for what in ("event", "answer")]
    socket.gone()


async def test_a_blocked_socket_takes_no_more_than_its_limit() -> None:
    wire = Wire()
    socket = AsgiSocket(wire.send)
    socket.release()
    wire.open.clear()
    big = Prepared("x" * (WAITING_AT_MOST // 3))
    assert [socket.offer(big) for _ in range(5)] == [True, True, True, False, False]
    socket.close(4408, "retry_after=1")
    wire.open.set()
    await until(lambda: wire.code)
    assert (wire.code, wire.reason) == (4408, "retry_after=1")
    assert len(wire.sent) <= 1  # the one that was on its way


async def test_the_first_reason_to_close_is_the_one_that_is_told() -> None:
    wire = Wire()
    socket = AsgiSocket(wire.send)
    socket.close(4403)
    socket.close(4503)
    await until(lambda: wire.code)
    assert wire.code == 4403


async def test_a_client_that_is_gone_ends_the_sending_quietly() -> None:
    async def broken(message: MutableMapping[str, Any]) -> None:
        raise ConnectionResetError

    socket = AsgiSocket(broken)
    socket.release("hello")
    sending = socket._sending
    assert sending is not None
    await asyncio.wait([sending])
    assert sending.exception() is None
