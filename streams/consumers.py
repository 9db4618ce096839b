"""The socket of a room: let somebody in, tell them where they are, do what they ask."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, is_signed_in
from core.accounts.sockets import Handshake, user_by_public_id
from core.errors import AppError, InvalidInput, NotAllowed, NotFound, SignInRequired, TooMany
from core.realtime import runtime, tickets
from core.realtime.db import run_in_db
from core.realtime.frames import encode, events_frame, now_frame
from core.realtime.limits import RateLimit
from core.realtime.log import Position, Stretch
from core.realtime.runtime import Runtime
from core.realtime.sockets import Socket, open_socket
from streams import access, selectors
from streams.commands import Speaker, act
from streams.models import Show
from streams.protocol import Hello, HelloBody, OkAnswer, Snapshot, You
from streams.reading import FrameRefused, answer_error, read_command, read_first_frame
from streams.services import reactions

CLOSE_FOR: dict[type[AppError], int] = {SignInRequired: 4401, NotAllowed: 4403, NotFound: 4404}
TICKET_WITHIN_S = 10.0
RECOVERED_AT_MOST = 500
REFUSALS_AT_MOST = 200


class RoomConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One viewer's socket in one show's room (`docs/protocol.md`)."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Leave the room however this ends: a cancelled consumer is not told to disconnect."""
        self.socket: Socket = open_socket(send)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.speaker: Speaker | None = None
        self.waiting: asyncio.TimerHandle | None = None
        self.frames = RateLimit(burst=60, every_s=0.05)
        self.refusals = 0

    async def connect(self) -> None:
        self.handshake = Handshake(self.scope)
        translation.activate(self.handshake.language())
        await self.accept()  # first: a browser sees the code of a refusal only after this
        self.waiting = asyncio.get_running_loop().call_later(
            TICKET_WITHIN_S, self.socket.close, 4401
        )
        if not self.handshake.is_browser:
            return
        if not self.handshake.is_same_site():
            self.socket.close(4403)
            return
        await self._enter(await run_in_db(self.handshake.user))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.socket.is_closing:
            return
        if self.speaker is None:
            await self._first_frame(text_data or "")
        elif (wait_s := self.frames.take("")) > 0:
            self._slow_down(wait_s)
        else:
            await self._command(self.speaker, text_data)

    def _leave(self) -> None:
        self._stop_waiting()
        self.socket.gone()
        if self.speaker is not None:
            self.speaker.runtime.hub.leave(self.speaker.topic, self.socket)

    def _stop_waiting(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()

    async def _first_frame(self, text: str) -> None:
        try:
            ticket = read_first_frame(text).ticket
            user = AnonymousUser() if ticket is None else await run_in_db(_user_of_ticket, ticket)
        except FrameRefused as refused:
            self.socket.release(encode(answer_error(None, refused.error)))
            return
        except tickets.TicketRefused:
            self.socket.close(4401)
            return
        await self._enter(user)

    async def _enter(self, user: AnyUser) -> None:
        self._stop_waiting()
        show_id = self.scope["url_route"]["kwargs"]["show_id"]
        try:
            running = runtime.current()
            show, you = await run_in_db(_show_and_you, user, show_id)
        except AppError as error:
            self.socket.close(CLOSE_FOR[type(error)])
            return
        except runtime.NotRunning:
            self.socket.close(4503)
            return
        key = _viewer_key(user, self.handshake)
        self.socket.viewer_key = key if you.role == "viewer" else None
        self.socket.person = key if is_signed_in(user) else None
        self.socket.hears_all = you.role != "viewer"
        self.speaker = Speaker(user, show.public_id, show.topic, key, running)
        self.socket.release(*await self._welcome(running, show, you))

    async def _welcome(self, running: Runtime, show: Show, you: You) -> list[str]:
        """The first frames. The place in the log is taken before anything is read."""
        here = await running.hub.join(show.topic, self.socket)
        running.hub.set_now(show.topic, likes=reactions.likes(show.public_id))
        asked = _position_asked(self.scope["query_string"])
        missed = await running.log.read(show.topic, asked, RECOVERED_AT_MOST) if asked else None
        now = running.hub.now(show.topic)
        if asked is None or missed is None or not missed.complete:
            snapshot = await run_in_db(_snapshot, show.pk, here, now)
            return [encode(Hello(HelloBody(here.epoch, here.seq, False, you, snapshot)))]
        hello = encode(Hello(HelloBody(asked.epoch, asked.seq, True, you)))
        return [hello, *_catch_up(missed, here), now_frame(now)]

    async def _command(self, speaker: Speaker, text: str | None) -> None:
        command_id: int | None = None
        try:
            if text is None:
                raise InvalidInput(_("Send text frames: binary ones mean nothing here."))
            command_id, command = read_command(text)
            answer = encode(OkAnswer(command_id, await act(speaker, command)))
        except FrameRefused as refused:
            answer = encode(answer_error(refused.command_id, refused.error))
        except AppError as error:
            answer = encode(answer_error(command_id, error))
        except DatabaseError:
            answer = encode(answer_error(command_id, _try_again()))
        self._answer(answer)

    def _slow_down(self, wait_s: float) -> None:
        self.refusals += 1
        if self.refusals > REFUSALS_AT_MOST:
            self.socket.close(4429)
            return
        error = TooMany(_("Too many frames at once."), retry_after=wait_s)
        self._answer(encode(answer_error(None, error)))

    def _answer(self, text: str) -> None:
        if not self.socket.answer(text):
            self.socket.close(4408)


class NoRoomConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Any other address: accepted, so that a browser sees why, and closed."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(code=4404)


class TryAgain(AppError):
    """The database could not do it now."""

    code = "try_again"


def _try_again() -> TryAgain:
    return TryAgain(_("That did not work just now. Please try again."), retry_after=1.0)


def _user_of_ticket(ticket: str) -> AnyUser:
    return user_by_public_id(tickets.redeem(ticket))


def _show_and_you(user: AnyUser, show_id: uuid.UUID) -> tuple[Show, You]:
    show = access.show_to_watch(user, show_id)
    return show, selectors.you(user, show)


def _snapshot(show_pk: int, here: Position, now: dict[str, int]) -> Snapshot:
    """The show is read again: it may have changed between the door and the place in the log."""
    show = Show.objects.select_related("seller", "host").get(pk=show_pk)
    return selectors.snapshot(show, upto=here, now=now)


def _viewer_key(user: AnyUser, handshake: Handshake) -> str:
    if is_signed_in(user):
        return f"user:{user.public_id}"
    return f"browser:{handshake.browser_key() or uuid.uuid4()}"


def _position_asked(query_string: bytes) -> Position | None:
    query = parse_qs(query_string.decode("latin1"))
    epoch, seq = query.get("epoch", [""])[0], query.get("seq", [""])[0]
    return Position(epoch, int(seq)) if epoch and seq.isdecimal() and len(seq) < 17 else None


def _catch_up(missed: Stretch, here: Position) -> list[str]:
    """What lies between the position asked for and the one from which the hub tells on."""
    entries = [entry for entry in missed.entries if entry.seq <= here.seq]
    return [events_frame(entries)] if entries else []
