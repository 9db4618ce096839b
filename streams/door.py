"""What a process knows of a room while people are in it, so that a whole room can come at once.

A server that restarts gets 2,000 people back within seconds. A `Door` looks up once who may not
come in or not speak, hears of every change from then on in the room's log, and keeps the snapshot
that newcomers in a crowd share. Who comes back with a position and a token costs no query at all.

A room with other people and another log (the studio of a show) has a door of its own: a subclass
that overrides `prefix`, `resumes`, `admit` and `paint`, given to `consumers.room_application`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from core.accounts.access import AnyUser
from core.clock import iso_ms, now
from core.realtime import backoff
from core.realtime.db import run_in_db
from core.realtime.frames import Events, encode, event_of
from core.realtime.log import Entry, Position
from core.realtime.runtime import Runtime
from streams import access, selectors
from streams.models import Audience, Ban, Mute, Show
from streams.protocol import (
    ChatMessageEvent,
    ViewerBannedEvent,
    ViewerMutedEvent,
    ViewerUnbannedEvent,
    ViewerUnmutedEvent,
    You,
)
from streams.resume import Known

RECOVERED_AT_MOST = 5_000
"""Entries: who missed more begins anew."""
CAUGHT_UP_CHAT = 200
"""Who was away gets every fact, and of the chat what a page would still show."""
RECENT = 500
"""Entries at the end of the log in which a snapshot looks for the last messages and orders."""
KNOWN_FOR_S = 30.0
CROWD = 5
SNAPSHOT_FOR_S = 1.5
"""More than `CROWD` newcomers within so many seconds share one snapshot."""
STRETCHES_KEPT = 64
SAID_SINCE = 300
"""Entries: who comes so much later from the same place is told it all in one frame again."""
IDLE_DOORS_KEPT = 200


HOLDS = {
    ViewerMutedEvent.type: ("take", "mute"),
    ViewerUnmutedEvent.type: ("let go", "mute"),
    ViewerBannedEvent.type: ("take", "ban"),
    ViewerUnbannedEvent.type: ("let go", "ban"),
}
"""What an event does to those who are kept quiet or away."""


@dataclass(slots=True)
class Facts:
    """What decides who comes in and how, and when (monotonic) we looked.

    Of people by their public id: until when, `None` for good.
    """

    audience: str
    muted: dict[UUID, datetime | None]
    banned: dict[UUID, datetime | None]
    looked_at: float


@dataclass(frozen=True, slots=True)
class Painted:
    """A snapshot, encoded, and the position that it shows."""

    position: Position
    snapshot: msgspec.Raw
    at: float


@dataclass(frozen=True, slots=True)
class Told:
    """The frame that somebody who came back was told, and up to where it reaches."""

    upto: Position
    frame: str


class Door:
    """One room's door in this process. Everything but `admit`, `look` and `paint`, which ask the
    database in a thread, runs on the event loop."""

    prefix: ClassVar[str] = "show"
    """The room's log is the topic `<prefix>:<show id>`."""
    resumes: ClassVar[bool] = True
    """Whether a token is enough to come back. Without it everybody is looked up each time."""
    listens_only: ClassVar[bool] = False
    """Whether this is a place to hear, where nothing is done: commands belong in the room."""

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
        self._stretches: OrderedDict[tuple[Position, int], str | None] = OrderedDict()
        self._told: OrderedDict[Position, Told] = OrderedDict()

    # Who comes in

    def admit(self, user: AnyUser) -> You:
        """Who this is here, by the database; raises `AppError` if they may not come in."""
        return selectors.you(user, access.show_to_watch(user, self.show_id))

    def admit_stranger(self) -> You | None:
        """Who an anonymous viewer is, if that is known without asking the database."""
        facts = self.facts
        if not self.inside or facts is None or facts.audience == Audience.INVITED:
            return None
        if time.monotonic() - facts.looked_at > KNOWN_FOR_S:
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
        return self.facts is not None and _holds(self.facts.banned, you.id)

    def with_mute(self, you: You) -> You:
        """The same person, and that they are muted, if the room has heard so."""
        if self.facts is None or you.id is None or not _holds(self.facts.muted, you.id):
            return you
        until = self.facts.muted[you.id]
        shown = iso_ms(until) if until else None
        return msgspec.structs.replace(you, muted=True, muted_until=shown)

    async def enter(self, here: Position) -> None:
        """Count somebody in, and know everything up to `here`, where they joined the log.

        `leave` follows in any case. Raises `DatabaseError` and what the log raises.
        """
        self.inside += 1
        for _attempt in range(2):  # the first may wait for a look that began before `here`
            if self._knows(here):
                return
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._catch_up(here))
                self._looking.add_done_callback(_seen)
            await asyncio.shield(self._looking)

    def leave(self) -> None:
        self.inside -= 1

    def hear(self, epoch: str, entries: Sequence[Entry]) -> None:
        """Take in what follows on what is known; the rest is read by the next who enters."""
        known = self._position
        if known is None or epoch != known.epoch or not entries:
            return
        if not entries[0].seq <= known.seq + 1 <= entries[-1].seq:
            return
        for entry in entries:
            if entry.seq > known.seq:
                self._apply(entry)
        self._position = Position(epoch, entries[-1].seq)

    def look(self) -> Facts:
        """What the database knows, in a thread that may ask it."""
        show = access.show_by_id(self.show_id)
        return Facts(
            audience=show.audience,
            muted=_people(Mute.objects.filter(show=show)),
            banned=_people(Ban.objects.filter(show=show)),
            looked_at=time.monotonic(),
        )

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

    def _apply(self, entry: Entry) -> None:
        if self.facts is None:
            return
        held = {"mute": self.facts.muted, "ban": self.facts.banned}
        match HOLDS.get(entry.type):
            case ("take", kind):
                held[kind][UUID(str(entry.data["user_id"]))] = _until(entry.data.get("until"))
            case ("let go", kind):
                held[kind].pop(UUID(str(entry.data["user_id"])), None)

    # What they are told first

    async def missed(self, after: Position, here: Position) -> list[str] | None:
        """The frames after one position up to another; `None` if the log does not have them all.

        A room that comes back asks for nearly the same 2,000 times: whoever comes from a place from
        which somebody has just come is told the same, and what was said since.
        """
        told = self._told.get(after)
        if told is not None and 0 <= here.seq - told.upto.seq <= SAID_SINCE:
            since = await self._stretch(told.upto, here)
            return None if since is None else [told.frame, *since]
        frames = await self._stretch(after, here)
        if frames:
            self._told[after] = Told(here, frames[0])
            if len(self._told) > STRETCHES_KEPT:
                self._told.popitem(last=False)
        return frames

    async def _stretch(self, after: Position, here: Position) -> list[str] | None:
        if after == here:
            return []
        key = (after, here.seq)
        if key not in self._stretches:
            found = await self.running.log.read(self.topic, after, RECOVERED_AT_MOST)
            if not found.complete or after.epoch != here.epoch:
                return None
            entries = [entry for entry in found.entries if entry.seq <= here.seq]
            self._stretches[key] = stretch_frame(entries) if entries else None
            if len(self._stretches) > STRETCHES_KEPT:
                self._stretches.popitem(last=False)
        frame = self._stretches[key]
        return [frame] if frame is not None else []

    async def snapshot(self, here: Position) -> Painted:
        """The room at `here` or, in a crowd, at a place a moment before."""
        if not self._is_crowded():
            return await self._paint(here)
        kept = self._painted
        if kept is None or time.monotonic() - kept.at > SNAPSHOT_FOR_S:
            if self._painting is None or self._painting.done():
                self._painting = asyncio.create_task(self._paint(here))
                self._painting.add_done_callback(_seen)
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


def _seen(task: asyncio.Task[Any]) -> None:
    """Whoever waits for the task has its fault; here it only counts as seen."""
    if not task.cancelled():
        task.exception()


def _people(rows: QuerySet[Mute] | QuerySet[Ban]) -> dict[UUID, datetime | None]:
    return dict(rows.values_list("user__public_id", "until"))


def _holds(people: Mapping[UUID, datetime | None], person: UUID | None) -> bool:
    if person is None or person not in people:
        return False
    until = people[person]
    return until is None or until > now()


def _until(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def stretch_frame(entries: Sequence[Entry]) -> str:
    """The frame of a stretch for who was away: every fact, of the viewers' chat the newest."""
    chat = [entry.seq for entry in entries if _is_viewers_chat(entry)]
    left_out = set(chat[:-CAUGHT_UP_CHAT])
    events = [event_of(entry) for entry in entries if entry.seq not in left_out]
    first, last = entries[0].seq, entries[-1].seq
    return encode(Events(from_=first, to=last, events=events, thinned=len(left_out)))


def _is_viewers_chat(entry: Entry) -> bool:
    return entry.type == ChatMessageEvent.type and entry.data.get("role") == "viewer"


class Doors:
    """All doors of this process. Those of empty rooms are kept a while: what their log gained
    meanwhile is read when somebody comes."""

    def __init__(self, running: Runtime) -> None:
        self.running = running
        self._doors: OrderedDict[str, Door] = OrderedDict()
        running.log.follow(self._heard)

    def at(self, kind: type[Door], show_id: UUID) -> Door:
        """The door of this room; kept from `keep` on, when somebody was let in."""
        known = self._doors.get(f"{kind.prefix}:{show_id}")
        return known or kind(self.running, show_id)

    def keep(self, door: Door) -> Door:
        """The one door that is kept for this room: this one, if there was none before."""
        kept = self._doors.setdefault(door.topic, door)
        self._doors.move_to_end(door.topic)
        if len(self._doors) > IDLE_DOORS_KEPT:
            self._forget_idle(kept)
        return kept

    def _forget_idle(self, but: Door) -> None:
        idle = [door.topic for door in self._doors.values() if not door.inside and door is not but]
        for topic in idle[: len(self._doors) - IDLE_DOORS_KEPT]:
            del self._doors[topic]

    def _heard(self, topic: str, epoch: str, entries: Sequence[Entry]) -> None:
        if (door := self._doors.get(topic)) is not None:
            door.hear(epoch, entries)


_doors: Doors | None = None


def doors_of(running: Runtime) -> Doors:
    """The doors of what runs in this process, where only one runtime runs at a time."""
    global _doors
    if _doors is None or _doors.running is not running:
        _doors = Doors(running)
    return _doors
