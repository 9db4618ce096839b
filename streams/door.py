"""What a process knows of a room while people are in it, so that a whole room can come at once.

A server that restarts gets 2,000 people back within seconds. A `Door` looks up once who may not
come in or not speak, hears of every change from then on in the room's log, and keeps the snapshot
that newcomers in a crowd share. Who comes back with a position and a token costs no query at all.

A room with other people and another log (the studio of a show) has a door of its own: a subclass
that overrides `prefix`, `resumes`, `admit` and `paint`, given to `consumers.room_application`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.db import DatabaseError

from core.accounts.access import AnyUser
from core.clock import iso_ms
from core.errors import NotFound
from core.realtime import backoff
from core.realtime.db import run_in_db
from core.realtime.log import Entry, Position
from core.realtime.runtime import Runtime
from core.realtime.sockets import Socket
from streams import access, selectors
from streams.access import RoomRole
from streams.facts import Facts, facts_of, holds
from streams.guard import (
    NO_SUCH_SHOW,
    Seat,
    audience_of,
    who_is_another,
    who_must_go,
)
from streams.models import Audience, Show
from streams.protocol import You
from streams.resume import Known
from streams.stretches import RECOVERED_AT_MOST, Stretches

log = logging.getLogger(__name__)

RECENT = 500
"""Entries at the end of the log in which a snapshot looks for the last messages and orders."""
KNOWN_FOR_S = 5.0
"""What an empty room knew; while somebody is inside, the guard looks again before that."""
CROWD = 5
SNAPSHOT_FOR_S = 1.5
"""More than `CROWD` newcomers within so many seconds share one snapshot."""


@dataclass(frozen=True, slots=True)
class Painted:
    """A snapshot, encoded, and the position that it shows."""

    position: Position
    snapshot: msgspec.Raw
    at: float


def seen(task: asyncio.Task[Any]) -> None:
    """Whoever waits for the task has its fault; here it only counts as seen."""
    if not task.cancelled():
        task.exception()


class Door:
    """One room's door in this process. Everything but `admit`, `look` and `paint`, which ask the
    database in a thread, runs on the event loop."""

    prefix: ClassVar[str] = "show"
    """The room's log is the topic `<prefix>:<show id>`."""
    resumes: ClassVar[bool] = True
    """Whether a token is enough to come back. Without it everybody is looked up each time."""
    listens_only: ClassVar[bool] = False
    """Whether this is a place to hear, where nothing is done: commands belong in the room."""

    counts_viewers: ClassVar[bool] = True
    """Whether who is here counts as somebody who watches."""
    for_keepers: ClassVar[bool] = False
    """Whether only those who keep order in the show may be here."""
    recheck_s: ClassVar[float] = 4.0

    def __init__(self, running: Runtime, show_id: UUID) -> None:
        self.show_id = show_id
        self.topic = f"{self.prefix}:{show_id}"
        self.inside = 0
        self.facts: Facts | None = None
        self.running = running
        self._position: Position | None = None
        self._looking: asyncio.Task[None] | None = None
        self._painting: asyncio.Task[Painted] | None = None
        self._painted: Painted | None = None
        self._came: deque[float] = deque(maxlen=CROWD)
        self._stretches = Stretches(running, self.topic)
        self._seats: dict[Socket, Seat] = {}
        self._guarding: asyncio.Task[None] | None = None

    # Who comes in

    def admit(self, user: AnyUser) -> You:
        """Who this is here, by the database; raises `AppError` if they may not come in."""
        return selectors.you(user, access.show_to_watch(user, self.show_id))

    def admit_stranger(self) -> You | None:
        """Who an anonymous viewer is, if that is known without asking the database."""
        facts = self.facts
        if not self.inside or facts is None or facts.audience == Audience.INVITED:
            return None
        if not facts.is_fresh(KNOWN_FOR_S):
            return None
        return You(signed_in=False, id=None, name=None, role="viewer", muted=False)

    def admit_known(self, known: Known) -> You:
        """Who comes back with a token."""
        return You(
            signed_in=known.user_id is not None,
            id=known.user_id,
            name=known.name,
            role=known.role,
            muted=False,
        )

    def is_banned(self, you: You) -> bool:
        return self.facts is not None and holds(self.facts.banned, you.id)

    def with_mute(self, you: You) -> You:
        """The same person, and that they are muted, if the room has heard so."""
        if self.facts is None or you.id is None or not holds(self.facts.muted, you.id):
            return you
        until = self.facts.muted[you.id]
        shown = iso_ms(until) if until else None
        return msgspec.structs.replace(you, muted=True, muted_until=shown)

    def trusts(self, role: str) -> bool:
        """Whether a token is enough for who had this role: not where others may not be at all."""
        invited = self.facts is not None and self.facts.audience == Audience.INVITED
        return role == RoomRole.VIEWER and not invited

    async def enter(self, here: Position) -> None:
        """Count somebody in, and know everything up to `here`, where they joined the log.

        `leave` follows in any case. Raises `DatabaseError` and what the log raises.
        """
        self.inside += 1
        if self._guarding is None:
            self._guarding = asyncio.create_task(self._guard(), name=f"guard of {self.topic}")
            if self.facts is not None and not self.facts.is_fresh(KNOWN_FOR_S):
                self._position = None  # nobody has looked since the room was left
        for _attempt in range(2):  # the first may wait for a look that began before `here`
            if self._knows(here):
                return
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._catch_up(here))
                self._looking.add_done_callback(seen)
            await asyncio.shield(self._looking)

    def sit(self, socket: Socket, seat: Seat) -> None:
        """From here on the guard looks whether they may stay; `leave` ends it."""
        self._seats[socket] = seat

    def leave(self, socket: Socket) -> None:
        self.inside -= 1
        self._seats.pop(socket, None)
        if not self.inside and self._guarding is not None:
            self._guarding.cancel()
            self._guarding = None

    def seats(self) -> list[tuple[Socket, Seat]]:
        return list(self._seats.items())

    def hear(self, epoch: str, entries: Sequence[Entry]) -> None:
        """Take in what follows on what is known; the rest is read by the next who enters."""
        known = self._position
        if known is None or epoch != known.epoch or not entries:
            return
        if not entries[0].seq <= known.seq + 1 <= entries[-1].seq:
            return
        for entry in entries:
            if entry.seq > known.seq:
                self._hold(entry)
        self._position = Position(epoch, entries[-1].seq)

    def look(self) -> Facts:
        """What the database knows, in a thread that may ask it."""
        return facts_of(self.show_id)

    async def look_again_at(self, people: Collection[int]) -> None:
        """Send away at once whose sign-in or part is over; these are primary keys of users."""
        seats = {
            seat for seat in self._seats.values() if seat.proof and seat.proof.user_pk in people
        }
        if seats:
            self._close(await run_in_db(self.who_is_another, seats))

    def who_is_another(self, seats: Collection[Seat]) -> Mapping[Seat, int]:
        """Who may not stay as what they came, and the codes; in a thread that may ask."""
        return who_is_another(self.show_id, seats)

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(self.recheck_s)
            try:
                await self._recheck()
            except DatabaseError:  # asked again next time
                log.exception("who may be in %s could not be looked up", self.topic)
            except NotFound:
                self._close(dict.fromkeys(self._seats.values(), NO_SUCH_SHOW))

    async def _recheck(self) -> None:
        """Look again who may come in, and send away whoever may no longer be here."""
        began = time.monotonic()
        audience = await run_in_db(audience_of, self.show_id)
        if self.facts is not None:
            self.facts.audience, self.facts.looked_at = audience, began
        closed = self.for_keepers or audience == Audience.INVITED
        seats = {seat for seat in self._seats.values() if closed or seat.role != RoomRole.VIEWER}
        if seats:
            gone = partial(who_must_go, for_keepers=self.for_keepers)
            self._close(await run_in_db(gone, self.show_id, seats))

    def _close(self, codes: Mapping[Seat, int]) -> None:
        for socket, seat in self.seats():
            if seat in codes:
                socket.close(codes[seat])

    def _knows(self, here: Position) -> bool:
        known = self._position
        stale = self.facts is None or known is None or known.epoch != here.epoch
        return not stale and known is not None and known.seq >= here.seq

    async def _catch_up(self, here: Position) -> None:
        """From the log, if it reaches back to what is known; else by looking again."""
        if self._position is not None:
            await self._read_on(self._position)
        if not self._knows(here):
            self.facts = await run_in_db(self.look)
            self._position = here
            await self._read_on(here)

    async def _read_on(self, after: Position) -> None:
        missed = await self.running.log.read(self.topic, after, RECOVERED_AT_MOST)
        if missed.complete:
            self.hear(after.epoch, missed.entries)

    def hold_ban(self, user_id: UUID, until: datetime | None) -> None:
        """What the log is about to tell, or has told already."""
        if self.facts is not None:
            self.facts.banned[user_id] = until

    def _hold(self, entry: Entry) -> None:
        if self.facts is not None:
            self.facts.apply(entry)

    # What they are told first

    async def missed(self, after: Position, here: Position) -> list[str] | None:
        """The frames after one position up to another; `None` if the log does not have them all."""
        return await self._stretches.missed(after, here)

    async def snapshot(self, here: Position) -> Painted:
        """The room at `here` or, in a crowd, at a place a moment before."""
        if not self._is_crowded():
            return await self._paint(here)
        kept = self._painted
        if kept is None or time.monotonic() - kept.at > SNAPSHOT_FOR_S:
            if self._painting is None or self._painting.done():
                self._painting = asyncio.create_task(self._paint(here))
                self._painting.add_done_callback(seen)
            kept = await asyncio.shield(self._painting)
        return kept if kept.position.epoch == here.epoch else await self._paint(here)

    def paint(
        self, here: Position, recent: Sequence[Entry], latest: Mapping[str, int]
    ) -> msgspec.Struct:
        """The snapshot at `here`, in a thread that may ask the database; `recent` is the end of
        the log, which the database may not have yet."""
        show = Show.objects.select_related("seller", "host").get(public_id=self.show_id)
        return selectors.snapshot(show, upto=here, recent=recent, now=latest)

    def retry_within_s(self) -> float:
        """Over how many seconds the room should spread when it comes back as one."""
        return backoff.retry_within_s(self.inside)

    async def _paint(self, here: Position) -> Painted:
        began = time.monotonic()
        start = Position(here.epoch, max(0, here.seq - RECENT))
        end = await self.running.log.read(self.topic, start, RECOVERED_AT_MOST)
        recent = [entry for entry in end.entries if entry.seq <= here.seq] if end.complete else []
        latest = self.running.hub.now(self.topic)
        snapshot = await run_in_db(self.paint, here, recent, latest)
        self._painted = Painted(here, msgspec.Raw(msgspec.json.encode(snapshot)), began)
        return self._painted

    def _is_crowded(self) -> bool:
        moment = time.monotonic()
        crowded = len(self._came) == CROWD and moment - self._came[0] < SNAPSHOT_FOR_S
        self._came.append(moment)
        return crowded
