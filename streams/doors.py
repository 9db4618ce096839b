"""The doors of all rooms in this process: kept, told of changes, and closed to who must go."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError

from core.accounts import changes
from core.accounts.proof import Proof
from core.errors import NotFound
from core.realtime.db import run_in_db
from core.realtime.log import Entry
from core.realtime.runtime import Runtime
from streams.door import Door, seen
from streams.guard import NOT_ALLOWED, SIGN_IN_REQUIRED

log = logging.getLogger(__name__)

IDLE_DOORS_KEPT = 200
CHANGES_EVERY_S = 1.0
"""How often a process asks whose part has changed, wherever that was written."""


class Doors:
    """All doors of this process. Those of empty rooms are kept a while: what their log gained
    meanwhile is read when somebody comes."""

    def __init__(self, running: Runtime) -> None:
        self.running = running
        self.loop = asyncio.get_running_loop()
        self._doors: OrderedDict[str, Door] = OrderedDict()
        self._watching: asyncio.Task[None] | None = None
        self._looking: set[asyncio.Task[None]] = set()
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
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch_changes(), name="changes of access")
            self._watching.add_done_callback(seen)
        return kept

    def ban(self, show_id: UUID, user_id: UUID, until: datetime | None) -> None:
        """Send somebody away from a show, and do not let them in again."""
        if (door := self._doors.get(f"{Door.prefix}:{show_id}")) is not None:
            door.hold_ban(user_id, until)
            self.send_away(door.topic, f"user:{user_id}")

    def send_away(self, topic: str, person: str) -> None:
        """Close the sockets of one person in a room: those that hear it, and those that watch."""
        door = self._doors.get(topic)
        seated = [socket for socket, _seat in door.seats()] if door is not None else []
        for socket in [*self.running.hub.sockets_of(topic, person), *seated]:
            if socket.person == person:
                socket.close(NOT_ALLOWED)

    def end(self, is_over: Callable[[Proof], bool]) -> None:
        """Close the sockets of all rooms that came with a proof which does not hold any more."""
        for door in self._doors.values():
            for socket, seat in door.seats():
                if seat.proof is not None and is_over(seat.proof):
                    socket.close(SIGN_IN_REQUIRED)

    def look_again_at(self, people: Collection[int]) -> None:
        """Whether these may still be where they are, in all rooms, soon."""
        looking = asyncio.create_task(self._look_again_at(people))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)

    async def _look_again_at(self, people: Collection[int]) -> None:
        for door in list(self._doors.values()):
            try:
                await door.look_again_at(people)
            except (DatabaseError, NotFound):  # the door's own guard asks again
                log.exception("who may be in %s could not be looked up", door.topic)

    async def _watch_changes(self) -> None:
        """While anybody is in a room: hear of changes that other processes have written."""
        known: set[int] = set()
        while True:
            await asyncio.sleep(CHANGES_EVERY_S)
            if not any(door.inside for door in self._doors.values()):
                return
            try:
                recent = await run_in_db(changes.recent)
            except DatabaseError:
                continue
            fresh = {pk for change, pk in recent.items() if change not in known}
            known = set(recent)
            if fresh:
                await self._look_again_at(fresh)

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


def at_the_doors(act: Callable[[Doors], None]) -> None:
    """Do this at the doors of this process, soon. From any thread; nothing where there are none."""
    if (doors := _doors) is not None:
        with suppress(RuntimeError):  # the server has stopped
            doors.loop.call_soon_threadsafe(act, doors)
