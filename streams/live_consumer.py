"""The socket of the live picture (`docs/live-media.md`): let somebody in, and let the feed write.

Who may be in the room may watch, and as long: each socket has a seat at the room's door, so that
the guard, a ban and signing out end it as they end the room's own. Parts never pass through here;
the feed writes them to the transport.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary, WeakValueDictionary

import msgspec
from django.utils import translation

from core.accounts.sockets import Handshake
from core.errors import AppError
from core.realtime import runtime
from core.realtime.db import run_in_db
from core.realtime.frames import Media, Prepared
from core.realtime.log import Position
from core.realtime.runtime import Runtime
from core.realtime.sockets import Socket, open_socket
from media_pipeline.live import frames
from media_pipeline.live.audience import Viewer, leave
from media_pipeline.live.feed import RENDITIONS, SOURCE, feeds
from streams.consumers import AWAY, CLOSE_FOR, TICKET_WITHIN_S
from streams.door import Door
from streams.doors import doors_of
from streams.guard import Seat
from streams.guests import Guest, Refused, guest_at
from streams.protocol import FirstFrame
from streams.reading import FrameRefused, read_first_frame
from streams.watch import chats_of

BURST, EVERY_S = 20, 0.2
"""A player asks once every few seconds; who asks much more often is closed."""
TOO_MANY, RESTARTING, NOT_ALLOWED, SIGN_IN = 4429, 4503, 4403, 4401

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Asked(msgspec.Struct):
    """What a player says; it may grow, so that what is unknown is passed over."""

    rendition: str | None = None
    ping: int | float | None = None


class Ear(Socket):
    """Listens to a room for all who watch its picture here: the log is followed, and when the room
    closes they are told as its own sockets are."""

    def __init__(self, sockets: set[Socket]) -> None:
        super().__init__()
        self._sockets = sockets

    def close(self, code: int, reason: str = "") -> None:
        self.code = code
        for socket in list(self._sockets):
            socket.close(code, reason)

    def offer(self, frame: Prepared) -> bool:
        return True

    def answer(self, text: str) -> bool:
        return True

    def owes(self) -> int:
        return 0

    def pass_on(self, media: Media) -> None:
        pass

    def release(self, *first: str) -> None:
        pass

    def gone(self) -> None:
        pass


class Watching:
    """All who watch one show's picture in this process."""

    def __init__(self, running: Runtime, topic: str) -> None:
        self._running = running
        self._topic = topic
        self.sockets: set[Socket] = set()
        self._ear: Ear | None = None

    async def come(self, socket: Socket) -> Position:
        """The room's present place, from which on this process hears of every change."""
        self.sockets.add(socket)
        ear = Ear(self.sockets)
        here = await self._running.hub.join(self._topic, ear)
        self._hang_up()  # the one before: whoever comes needs a place that is not old
        self._ear = ear
        if not self.sockets:
            self._hang_up()  # all left meanwhile
        return here

    def go(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        if not self.sockets:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._ear is not None:
            self._running.hub.leave(self._topic, self._ear)
            self._ear = None


_watching: WeakKeyDictionary[Runtime, WeakValueDictionary[UUID, Watching]] = WeakKeyDictionary()


async def application(scope: Any, receive: Receive, send: Send) -> None:
    """One viewer's socket."""
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})  # first: only then a browser sees a close code
    await Visit(scope, open_socket(send)).run(receive)


class Visit:
    """One socket, from its handshake to its end."""

    __slots__ = (
        "_door",
        "_full_at",
        "_handshake",
        "_is_in",
        "_rendition",
        "_show_id",
        "_socket",
        "_viewer",
        "_waiting",
        "_watching",
    )

    def __init__(self, scope: Any, socket: Socket) -> None:
        self._show_id: UUID = scope["url_route"]["kwargs"]["show_id"]
        self._rendition = asked_rendition(scope["query_string"])
        self._handshake = Handshake(scope)
        self._socket = socket
        self._viewer = Viewer(socket)
        self._door: Door | None = None
        self._watching: Watching | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._is_in = False
        self._full_at = 0.0

    async def run(self, receive: Receive) -> None:
        """Until the socket is gone; leave however this ends."""
        try:
            await self._greet()
            while (message := await receive())["type"] == "websocket.receive":
                if not self._socket.is_closing:
                    await self._hear(message.get("text") or "")
        finally:
            self._leave()

    def _leave(self) -> None:
        self._stop_waiting()
        self._socket.gone()
        leave(self._viewer)
        if self._watching is not None:
            self._watching.go(self._socket)
        if self._door is not None:
            self._door.leave(self._socket)

    async def _greet(self) -> None:
        """A browser is known by its cookie; all others say who they are, as in the room."""
        translation.activate(self._handshake.language())
        if not self._handshake.is_browser:
            later = asyncio.get_running_loop().call_later
            self._waiting = later(TICKET_WITHIN_S, self._socket.close, SIGN_IN)
        elif self._handshake.is_same_site():
            await self._enter(FirstFrame())
        else:
            self._socket.close(NOT_ALLOWED)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def _hear(self, text: str) -> None:
        if self._is_in:
            self._answer(text)
            return
        try:
            await self._enter(read_first_frame(text))
        except FrameRefused:
            self._socket.close(SIGN_IN)

    async def _enter(self, first: FirstFrame) -> None:
        self._stop_waiting()
        try:
            running = runtime.current()
            door = doors_of(running).at(Door, self._show_id)
            await self._sit(running, door, await guest_at(door, self._handshake, first))
        except Refused as refused:
            self._socket.close(refused.code)
        except AppError as error:
            self._socket.close(CLOSE_FOR.get(type(error), NOT_ALLOWED))
        except (*AWAY, runtime.NotRunning):
            self._socket.close(RESTARTING)

    async def _sit(self, running: Runtime, door: Door, guest: Guest) -> None:
        """Take a seat at the room's door, and then the picture. Raises `AppError` and `AWAY`."""
        self._socket.person = f"user:{guest.you.id}" if guest.you.id else None
        chats_of(running)  # from here on it hears of who is sent away
        shows = _watching.setdefault(running, WeakValueDictionary())
        self._watching = shows.setdefault(self._show_id, Watching(running, door.topic))
        here = await self._watching.come(self._socket)
        self._door = doors_of(running).keep(door)
        await self._door.enter(here)
        self._door.sit(self._socket, Seat(guest.you.role, guest.proof))
        if guest.by_token or self._door.is_banned(guest.you):  # the database knows better
            await run_in_db(self._door.admit, await run_in_db(guest.user_again))
        self._is_in = True
        self._socket.release(
            frames.hello(feeds.renditions(self._show_id), feeds.poster(self._show_id))
        )
        feeds.feed(self._show_id, self._rendition).join(self._viewer)

    def _answer(self, text: str) -> None:
        if self._is_too_often():
            self._socket.close(TOO_MANY)
            return
        try:
            asked = msgspec.json.decode(text, type=Asked)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return  # of a later version perhaps
        if asked.ping is not None:
            self._socket.answer(frames.text(pong=asked.ping, server_ms=frames.server_ms()))
        if asked.rendition in RENDITIONS:
            feeds.feed(self._show_id, asked.rendition).switch(self._viewer)

    def _is_too_often(self) -> bool:
        moment = time.monotonic()
        self._full_at = max(self._full_at, moment) + EVERY_S
        return self._full_at - moment > BURST * EVERY_S


def asked_rendition(query_string: bytes) -> str:
    """`rendition` of the address; the source, where that is none of ours."""
    wanted = {f"rendition={one}".encode(): one for one in RENDITIONS}
    found = [wanted[part] for part in query_string.split(b"&") if part in wanted]
    return found[0] if found else SOURCE
