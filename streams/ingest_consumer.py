"""The socket that cameras speak to: let in, receive, acknowledge, say why not.

→ {"hello": {"take": "<uuid>", "mime": "video/webm;codecs=h264,opus", "key": "<key>" | null,
             "take_over": false,             true: instead of the phone that films now
             "age_ms": 0, "keeps": []}}      see below
← {"ready": {"take": "<uuid>", "next": 0, "max_chunk_bytes": 900000}}
→ binary: uint32 chunk number, float64 capture offset in ms (both big endian), payload
← {"ack": {"next": 1}}                       once the chunks before it are on disk
← {"leave": {"code": "taken_over", "message": "…"}}   another phone goes on: stop recording, send
                                             the rest and seal, before the take is taken away
→ {"do": "seal"}
← {"sealed": {"duration_s": 12.5}}           and the socket closes with 1000
← {"error": {"code": "…", "message": "…"}}   and the socket closes with a code of ours;
                                             "take_sealed" (4412) adds the "duration_s" it has

A phone that has kept more than it can send at once begins a new take, which viewers see, and sends
the rest of the earlier ones beside it, each on a socket of its own:
→ {"hello": {"take": "<new>", …, "keeps": [{"take": "<earlier>", "mime": "…"}]}}   oldest first:
                                             these take their place on the timeline before it
→ {"hello": {"take": "<earlier>", …, "age_ms": 43210.5, "keeps": [{"take": "<earlier>", …}]}}
A take that is among what its own hello "keeps" is for the recording alone: its recorder was started
"age_ms" ago, its chunks are stored and acknowledged like all others, nobody is shown them, and at
"seal" what came of it becomes segments, whether or not something is missing. It may be sent while
another phone films, and for a while after the show has ended.

Before all that a camera may try its uplink, on a socket of its own (`streams.ingest_probe`):
→ {"probe": {"key": "<key>" | null}}
← {"probe": {"server_ms": 1732262400000.0, "max_bytes": 500000}}
→ binary, of any content
← {"got": {"bytes": 16384, "after_ms": 35.2}}   for each; the socket closes with 1000 at the end
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _

from core.accounts.access import is_signed_in
from core.accounts.proof import Proof
from core.accounts.sockets import Handshake
from core.errors import NotFound
from core.realtime.db import run_in_db
from media_pipeline.ingest.chunks import Chunk
from media_pipeline.ingest.connection import Connection
from media_pipeline.ingest.desk import desk
from media_pipeline.ingest.errors import (
    BadProtocol,
    IngestRefused,
    KeyNeeded,
    NoSuchShow,
    NotApproved,
    NotTheHost,
    ShowIsOver,
    Stopped,
    TakenOver,
    is_of_full_disk,
    refusal_for,
)
from media_pipeline.ingest.late_connection import LateConnection
from media_pipeline.services.late_takes import KeptTake
from streams import access, camera_guard, ingest_probe
from streams.ingest_frames import (
    MAX_CHUNK_BYTES,
    Command,
    FirstFrame,
    Hello,
    Probe,
    parse_chunk,
    parsed,
)
from streams.models import Audience, Show, ShowState
from streams.services import approvals, ingest_keys, shows, stopping

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Hold = Connection | LateConnection

log = logging.getLogger(__name__)

HELLO_WITHIN_S = 15.0
READ_AHEAD = 32
"""So many messages are stored together at most; a disk that is slow makes a camera wait then."""


class Gone(Exception):
    """The other side has closed the socket."""


class Socket:
    """A WebSocket of an ASGI server, in the words of this protocol."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def accept(self) -> None:
        """Refusals come after this: a browser learns no reason from a refused handshake."""
        await self._receive()
        await self._send({"type": "websocket.accept"})

    async def receive(self) -> str | bytes:
        """The next message; raises `Gone`."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Gone
        text: str | None = message.get("text")
        payload: bytes = message.get("bytes") or b""
        return text if text is not None else payload

    async def tell(self, **frame: dict[str, object]) -> None:
        text = msgspec.json.encode(frame).decode()
        await self._send({"type": "websocket.send", "text": text})

    async def refuse(self, why: IngestRefused) -> None:
        await self.tell(error=why.frame())
        await self.close(why.close)

    async def close(self, code: int = 1000) -> None:
        await self._send({"type": "websocket.close", "code": code})


class Inbox:
    """What a camera has sent and nobody has looked at yet, read ahead up to a bound."""

    def __init__(self, socket: Socket) -> None:
        self._waiting: asyncio.Queue[str | bytes | None] = asyncio.Queue(READ_AHEAD)
        self._is_gone = False
        self._reading = asyncio.create_task(self._read(socket))

    async def _read(self, socket: Socket) -> None:
        try:
            while True:
                await self._waiting.put(await socket.receive())
        except Gone:
            await self._waiting.put(None)

    async def receive(self) -> list[str | bytes]:
        """Everything that waits, in its order, and at least one message; raises `Gone`."""
        found: list[str | bytes] = []
        while not found or not self._waiting.empty():
            if self._is_gone or (message := await self._waiting.get()) is None:
                self._is_gone = True
                if found:
                    return found
                raise Gone
            found.append(message)
        return found

    def close(self) -> None:
        self._reading.cancel()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """One broadcaster's connection, from hello to goodbye."""
    socket = Socket(receive, send)
    await socket.accept()
    try:
        await _serve(scope, socket)
    except Gone:
        pass
    except ShowIsOver as why:
        show_id = scope["url_route"]["kwargs"]["show_id"]
        await socket.refuse(await run_in_db(_in_full, why, show_id))
    except IngestRefused as why:
        await socket.refuse(why)
    except DatabaseError as error:
        log.exception("a camera could not be served")
        await socket.refuse(refusal_for(error))
    except OSError as error:
        if not is_of_full_disk(error):  # the server says by one that the socket is closed
            raise
        log.exception("a camera could not be served")
        await socket.refuse(refusal_for(error))


def _in_full(why: ShowIsOver, show_id: UUID) -> ShowIsOver:
    """Why the show is over, for whoever films it, where there is more to say."""
    show = access.show_by_id(show_id)
    if reason := stopping.why_stopped(show):
        return Stopped(reason)
    return ShowIsOver(shows.why_too_long(show)) if shows.lasted_longest(show) else why


async def _serve(scope: Scope, socket: Socket) -> None:
    handshake = Handshake(scope)
    translation.activate(handshake.language())
    hello = await _hello(socket)
    show_id: UUID = scope["url_route"]["kwargs"]["show_id"]
    is_kept = isinstance(hello, Hello) and hello.is_kept
    show = await run_in_db(show_to_broadcast, handshake, show_id, hello.key, may_be_over=is_kept)
    if isinstance(hello, Probe):
        await ingest_probe.measure(socket)
        return
    await run_in_db(check_approved, show)
    proof = await run_in_db(_proof_of, handshake) if hello.key is None else None
    connection = await _connected(show, hello)
    beside = [asyncio.create_task(_ask_to_leave(socket, connection))]
    if proof is not None:
        watching = camera_guard.watch(show_id, proof, connection)
        beside.append(asyncio.create_task(watching, name=f"who films {show_id}"))
    inbox = Inbox(socket)
    try:
        ready = {"take": hello.take, "next": connection.next, "max_chunk_bytes": MAX_CHUNK_BYTES}
        await socket.tell(ready=ready)
        await _receive_take(inbox, socket, connection)
    finally:
        for task in beside:
            task.cancel()
        inbox.close()
        await connection.lost()


async def _connected(show: Show, hello: Hello) -> Hold:
    is_public = show.audience == Audience.PUBLIC
    keeps = [KeptTake(one.take, one.mime) for one in hello.keeps]
    if hello.is_kept:
        return await desk.connect_late(
            show.public_id,
            is_public=is_public,
            take_id=hello.take,
            keeps=keeps,
            age_s=hello.age_ms / 1000,
        )
    return await desk.connect(
        show.public_id,
        is_public=is_public,
        take_id=hello.take,
        mime=hello.mime,
        take_over=hello.take_over,
        keeps=keeps,
    )


async def _hello(socket: Socket) -> Hello | Probe:
    try:
        async with asyncio.timeout(HELLO_WITHIN_S):
            first = parsed(await socket.receive(), FirstFrame)
    except TimeoutError as error:
        raise BadProtocol(_("Nothing was said.")) from error
    if (said := first.hello or first.probe) is None:
        raise BadProtocol(_("The first message must say hello."))
    return said


async def _ask_to_leave(socket: Socket, connection: Hold) -> None:
    """Tell this phone when another one is to go on with the show."""
    await connection.asked_to_leave.wait()
    await socket.tell(leave=TakenOver().frame())


async def _receive_take(inbox: Inbox, socket: Socket, connection: Hold) -> None:
    """Chunks until the take is sealed or taken away; those that wait already, together."""
    while True:
        if connection.refused.done():  # also where what was sent never ends
            raise connection.refused.result()
        messages = await _next_messages(inbox, connection)
        for is_chunk, several in groupby(messages, key=lambda one: isinstance(one, bytes)):
            if is_chunk:
                await _receive_chunks(socket, connection, several)
            elif [parsed(one, Command).do for one in several] == ["seal"]:
                await socket.tell(sealed={"duration_s": await connection.seal()})
                await socket.close()
                return
            else:
                raise BadProtocol


async def _receive_chunks(socket: Socket, connection: Hold, frames: Iterable[str | bytes]) -> None:
    """Confirm what is kept, once for all of them; one that is wrong does not spoil those before."""
    chunks: list[Chunk] = []
    wrong: IngestRefused | None = None
    for frame in frames:
        try:
            chunks.append(parse_chunk(frame))
        except IngestRefused as refused:
            wrong = refused
            break
    if chunks:
        await socket.tell(ack={"next": await connection.append(chunks)})
    if wrong is not None:
        raise wrong


async def _next_messages(inbox: Inbox, connection: Hold) -> list[str | bytes]:
    """What has come, or the reason why the take was taken away, whichever is first."""
    messages = asyncio.ensure_future(inbox.receive())
    either: set[asyncio.Future[Any]] = {messages, connection.refused}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not messages.done():
            messages.cancel()
    if messages.done() and not messages.cancelled():
        return messages.result()
    raise connection.refused.result()


def show_to_broadcast(
    handshake: Handshake, show_id: UUID, key: str | None, *, may_be_over: bool = False
) -> Show:
    """The show, if this connection may broadcast it; raises `IngestRefused`.

    A key says all by itself. Without one the browser's session says who it is, and its Origin
    that the page which asks is ours.
    """
    try:
        show = access.show_by_id(show_id)
    except NotFound as error:
        raise NoSuchShow from error
    if key is not None:
        _check_key(show, key)
    else:
        _check_session(show, handshake)
    if show.state == ShowState.ENDED and not may_be_over:
        raise ShowIsOver
    return show


def _proof_of(handshake: Handshake) -> Proof:
    """Who films without a key, to be asked again; raises `KeyNeeded`."""
    user = handshake.user()
    if not is_signed_in(user):
        raise KeyNeeded
    return Proof.of(user, handshake.session_key())


def check_approved(show: Show) -> None:
    """Raises `NotApproved` while an operator has not said yes to a seller's first show."""
    review = approvals.review_of(show)
    if review.standing == "waiting":
        raise NotApproved(
            _(
                "Your first show waits for an operator's yes. You can prepare everything; "
                "this page tells you as soon as you can go live."
            )
        )
    if review.standing == "refused":
        raise NotApproved(
            _("An operator has said no to this show: %(reason)s") % {"reason": review.reason}
        )


def _check_key(show: Show, key: str) -> None:
    try:
        named = ingest_keys.show_of(key)
    except ingest_keys.KeyRefused as error:
        raise KeyNeeded(_("This broadcast key is wrong or has expired.")) from error
    if named != show.public_id:
        raise NotTheHost(_("This broadcast key is for another show."))


def _check_session(show: Show, handshake: Handshake) -> None:
    if not handshake.is_browser:
        raise KeyNeeded
    if not handshake.is_same_site():
        raise NotTheHost(_("This page is not allowed to broadcast."))
    user = handshake.user()
    if not is_signed_in(user):
        raise KeyNeeded
    if not access.may_host(user, show):
        raise NoSuchShow if show.is_rehearsal else NotTheHost
