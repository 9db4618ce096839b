"""The socket of a room: let somebody in, tell them where they are, do what they ask.

A plain ASGI application: 15,000 of these wait at the same time, and a consumer class of Channels
takes several times the memory for each. `room_application` makes one for each kind of room; what
differs between rooms (topic, who may come in, snapshot) is in the `Door` that it is given.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs

import msgspec
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _
from msgspec import UNSET

from core.accounts.sockets import Handshake
from core.clock import epoch_ms, now
from core.errors import AppError, InvalidInput, NotAllowed, NotFound, SignInRequired, TooMany
from core.realtime import backoff, runtime
from core.realtime.db import run_in_db
from core.realtime.frames import encode, now_frame
from core.realtime.log import LogClosed, LogUnavailable, Position
from core.realtime.runtime import Runtime
from core.realtime.sockets import Socket, open_socket
from streams.commands import Speaker, act
from streams.door import Door
from streams.doors import doors_of
from streams.guard import SIGN_IN_REQUIRED, Seat
from streams.guests import Guest, Refused, guest_at
from streams.protocol import (
    Command,
    ErrorAnswer,
    FirstFrame,
    Hello,
    HelloBody,
    OkAnswer,
    Ping,
    Snapshot,
)
from streams.reading import FrameRefused, answer_error, read_command, read_first_frame
from streams.watch import chats_of

log = logging.getLogger(__name__)

CLOSE_FOR: dict[type[AppError], int] = {SignInRequired: 4401, NotAllowed: 4403, NotFound: 4404}
AWAY = (DatabaseError, LogUnavailable, LogClosed)
TICKET_WITHIN_S = 10.0
QUIET_S = 5.0
"""The room repeats its latest values every 3 s: so long without a word is a dead line."""
BURST, EVERY_S = 60, 0.05
WAITING_AT_MOST = 32
"""Commands: a socket whose commands take long may not pile them up in our memory."""
REFUSALS_AT_MOST, FORGIVEN_AFTER_S = 200, 1.0
"""Of frames that come too fast: so many, one of which is forgotten each second."""
NO_SHOW = uuid.UUID(int=0)
"""At an address without a show, who comes says which room it is (`me_consumer`)."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


async def no_room(scope: Any, receive: Receive, send: Send) -> None:
    """Any other address: accepted, so that a browser sees why, and closed."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4404})


class TryAgain(AppError):
    """The database or the log could not do it now."""

    code = "try_again"


class HistoryLost(Exception):
    """The topic began a new epoch while somebody was joining it."""


class Visit:
    """One socket in one show's room (`docs/protocol.md`)."""

    __slots__ = (
        "_asked",
        "_commands",
        "_door",
        "_full_at",
        "_handshake",
        "_kind",
        "_patient_at",
        "_show_id",
        "_socket",
        "_speaker",
        "_waiting",
        "_working",
    )

    def __init__(self, kind: type[Door], scope: Any, socket: Socket) -> None:
        self._kind = kind
        self._show_id: uuid.UUID = scope["url_route"]["kwargs"].get("show_id", NO_SHOW)
        self._socket = socket
        self._handshake: Handshake | None = Handshake(scope)
        self._asked = Asked.of(scope["query_string"])
        self._door: Door | None = None
        self._speaker: Speaker | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._commands: list[tuple[int, Command]] = []
        self._working: asyncio.Task[None] | None = None
        self._full_at = 0.0
        self._patient_at = 0.0

    async def run(self, receive: Receive) -> None:
        """Until the socket is gone; leave the room however this ends."""
        try:
            await self._greet()
            while (message := await receive())["type"] == "websocket.receive":
                if not self._socket.is_closing:
                    await self._hear(message.get("text"))
            if self._working is not None:  # what was asked for is done, whoever hears the answer
                await asyncio.wait({self._working})
        finally:
            self._leave()

    def _leave(self) -> None:
        self._stop_waiting()
        self._socket.gone()
        if self._working is not None:
            self._working.cancel()
        if self._door is not None:
            self._door.leave(self._socket)
            self._door.running.hub.leave(self._door.topic, self._socket)

    # Coming in

    async def _greet(self) -> None:
        """A browser is known by its cookie; all others, and who comes back, say who they are."""
        assert self._handshake is not None  # noqa: S101
        translation.activate(self._handshake.language())
        if self._handshake.is_browser and not self._handshake.is_same_site():
            self._socket.close(4403)
        elif self._handshake.is_browser and not self._asked.resumes:
            await self._enter(FirstFrame())
        else:
            later = asyncio.get_running_loop().call_later
            self._waiting = later(TICKET_WITHIN_S, self._socket.close, 4401)

    async def _hear(self, text: str | None) -> None:
        if self._speaker is not None:
            self._take(self._speaker, text)
        elif self._handshake is not None:
            try:
                await self._enter(read_first_frame(text or ""))
            except FrameRefused as refused:
                self._socket.release(encode(answer_error(None, refused.error)))
                self._socket.close(4401)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def _enter(self, first: FirstFrame) -> None:
        self._stop_waiting()
        handshake, self._handshake = self._handshake, None
        assert handshake is not None  # noqa: S101
        try:
            running = runtime.current()
            door, guest = await self._meet(running, handshake, first)
            await self._join(running, door, guest)
        except Refused as refused:
            self._socket.close(refused.code)
        except AppError as error:
            self._socket.close(CLOSE_FOR.get(type(error), 4403))
        except (*AWAY, HistoryLost, runtime.NotRunning):
            self._come_back_later()

    async def _meet(
        self, running: Runtime, handshake: Handshake, first: FirstFrame
    ) -> tuple[Door, Guest]:
        """To which door they come, and who they are; raises what `guest_at` raises."""
        door = doors_of(running).at(self._kind, self._show_id)
        return door, await guest_at(door, handshake, first)

    async def _join(self, running: Runtime, door: Door, guest: Guest) -> None:
        """The first frames. The place in the log is taken before anything else is read."""
        key = guest.viewer_key
        is_viewer = door.counts_viewers and guest.you.role == "viewer"
        self._socket.viewer_key = key if is_viewer else None
        self._socket.person = f"user:{guest.you.id}" if guest.you.id else None
        self._socket.hears_all = guest.you.role != "viewer"
        chats_of(running)  # from here on it hears of who is sent away
        here = await running.hub.join(door.topic, self._socket)
        self._door = doors_of(running).keep(door)
        await self._door.enter(here)
        self._door.sit(self._socket, Seat(guest.you.role, guest.proof))
        doubtful = guest.by_token and not self._door.trusts(guest.you.role)
        if doubtful or self._door.is_banned(guest.you):  # perhaps no longer: the database knows
            guest.user = await run_in_db(guest.user_again)
            guest.you = await run_in_db(self._door.admit, guest.user)
        guest.you = self._door.with_mute(guest.you)
        frames = await self._welcome(running, self._door, guest, here)
        self._speaker = Speaker(guest.user, self._show_id, door.topic, key, running, guest.proof)
        self._socket.release(*frames)

    async def _welcome(
        self, running: Runtime, door: Door, guest: Guest, here: Position
    ) -> list[str]:
        """Hello, and what lies between its position and the one from which the hub tells on."""
        asked = self._asked.position
        missed = await door.missed(asked, here) if asked is not None else None
        if asked is not None and missed is not None:
            hello = self._hello(door, guest, asked)
        else:
            painted = await door.snapshot(here)
            missed = await door.missed(painted.position, here)
            if missed is None:
                raise HistoryLost(door.topic)
            # Encoded once for everybody who shares it: `Raw` goes into the frame as it is.
            hello = self._hello(door, guest, painted.position, cast(Snapshot, painted.snapshot))
        return [encode(Hello(hello)), *missed, now_frame(running.hub.now(door.topic))]

    def _hello(
        self, door: Door, guest: Guest, at: Position, snapshot: Snapshot | None = None
    ) -> HelloBody:
        return HelloBody(
            epoch=at.epoch,
            seq=at.seq,
            recovered=snapshot is None,
            you=guest.you,
            retry_within_s=door.retry_within_s(),
            quiet_s=QUIET_S,
            at_ms=epoch_ms(now()),
            resume=guest.token(self._show_id) if door.resumes else UNSET,
            snapshot=UNSET if snapshot is None else snapshot,
        )

    def _come_back_later(self) -> None:
        within_s = self._door.retry_within_s() if self._door is not None else 2.0
        self._socket.close(4503, f"retry_after={random.uniform(0.25, within_s):.3f}")  # noqa: S311

    # What they ask for

    def _take(self, speaker: Speaker, text: str | None) -> None:
        """Answer what cannot be read at once; let the rest wait for its turn, if not too many do.

        Frames are taken as they come, also while a command is under way: some servers would keep
        them without a limit.
        """
        wait_s = self._pace()
        if wait_s > 0 or len(self._commands) >= WAITING_AT_MOST:
            self._slow_down(wait_s or EVERY_S)
            return
        try:
            if text is None:
                problem = _("Send text frames: binary ones mean nothing here.")
                raise FrameRefused(None, InvalidInput(problem))
            self._commands.append(self._allowed(*read_command(text)))
        except FrameRefused as refused:
            self._answer(answer_error(refused.command_id, refused.error))
        if self._commands and (self._working is None or self._working.done()):
            self._working = asyncio.create_task(self._work(speaker))
            self._working.add_done_callback(self._worked)

    def _allowed(self, command_id: int, command: Command) -> tuple[int, Command]:
        """The command, unless this socket only listens; raises `FrameRefused`."""
        if self._kind.listens_only and not isinstance(command, Ping):
            raise FrameRefused(command_id, NotAllowed(_("This belongs in the room of the show.")))
        return command_id, command

    async def _work(self, speaker: Speaker) -> None:
        """One command after the other, in the order in which they came."""
        while self._commands:
            command_id, command = self._commands.pop(0)
            answer = await _done(speaker, command_id, command)
            self._answer(answer)
            if _is_signed_out(speaker, answer):
                self._socket.close(SIGN_IN_REQUIRED)
                self._commands.clear()

    def _worked(self, working: asyncio.Task[None]) -> None:
        """A fault of ours costs this one socket its connection, and nobody waits for an answer."""
        if self._working is working:  # its work may have been taken up already
            self._working = None
        if not working.cancelled() and (fault := working.exception()) is not None:
            log.error("a command failed", exc_info=fault)
            self._come_back_later()

    def _pace(self) -> float:
        """Seconds until the next frame is welcome; 0 if this one is."""
        moment = time.monotonic()
        full_at = max(self._full_at, moment)
        wait_s = full_at + EVERY_S - moment - BURST * EVERY_S
        if wait_s > 0:
            return wait_s
        self._full_at = full_at + EVERY_S
        return 0.0

    def _slow_down(self, wait_s: float) -> None:
        moment = time.monotonic()
        self._patient_at = max(self._patient_at, moment) + FORGIVEN_AFTER_S
        if self._patient_at - moment > REFUSALS_AT_MOST * FORGIVEN_AFTER_S:
            self._socket.close(4429)
            return
        error = TooMany(_("Too many frames at once."), retry_after=wait_s)
        self._answer(answer_error(None, error))

    def _answer(self, answer: msgspec.Struct) -> None:
        if not self._socket.answer(encode(answer)):
            self._socket.close(4408, f"retry_after={backoff.SOONEST_S}")


def room_application(kind: type[Door] = Door, visit: type[Visit] = Visit) -> Application:
    """The sockets of all rooms with this kind of door, at an address with a `show_id`."""

    async def application(scope: Any, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})  # first: only then a browser sees a close code
        await visit(kind, scope, open_socket(send)).run(receive)

    return application


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says: where somebody was, and whether they have a token to come back."""

    position: Position | None
    resumes: bool

    @classmethod
    def of(cls, query_string: bytes) -> Asked:
        query = parse_qs(query_string.decode("latin1"))
        epoch, seq = query.get("epoch", [""])[0], query.get("seq", [""])[0]
        known = epoch and seq.isdecimal() and seq.isascii() and len(seq) < 17
        position = Position(epoch, int(seq)) if known else None
        return cls(position, query.get("resume") == ["1"])


async def _done(speaker: Speaker, command_id: int, command: Command) -> msgspec.Struct:
    """Do it; the answer to it, whatever comes."""
    try:
        return OkAnswer(command_id, await act(speaker, command))
    except AppError as error:
        return answer_error(command_id, error)
    except AWAY:
        problem = _("That did not work just now. Please try again.")
        return answer_error(command_id, TryAgain(problem, retry_after=1.0))


def _is_signed_out(speaker: Speaker, answer: msgspec.Struct) -> bool:
    """Whether somebody came signed in and is not any more, by what they are answered."""
    refused = isinstance(answer, ErrorAnswer) and answer.error.code == SignInRequired.code
    return refused and speaker.proof is not None
