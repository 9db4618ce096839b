"""How many watch each show, noted as every minute begins, by every web process that has viewers.

All of them know the count over all of them, so whoever writes a minute first has it right.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db import DatabaseError

from core.clock import now
from core.realtime import tasks
from core.realtime.db import run_in_db
from streams.models import Show, ShowState, ViewersSample
from streams.studio.figures import MINUTE, minute_of

log = logging.getLogger(__name__)

ROOM = "show:"


class Rooms(Protocol):
    """What of the hub is read here."""

    def topics(self) -> Collection[str]: ...

    def now(self, topic: str) -> dict[str, int]: ...


class Sampler:
    """Notes the viewers of this process's rooms once a minute, until it is stopped."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._sampling: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._sampling = asyncio.create_task(self._sample_forever(), name="viewers-sampler")

    async def stop(self) -> None:
        await tasks.end(self._sampling)

    async def _sample_forever(self) -> None:
        while True:
            moment = now()
            await asyncio.sleep((minute_of(moment) + MINUTE - moment).total_seconds())
            try:
                await self.sample(now())
            except DatabaseError:  # a minute without a figure is better than none ever after
                log.exception("the viewers of this minute could not be noted")

    async def sample(self, at: datetime) -> None:
        """Note who watches now as the figure of the minute of `at`."""
        rooms = [topic for topic in self._rooms.topics() if topic.startswith(ROOM)]
        if counts := {UUID(one.removeprefix(ROOM)): self._viewers(one) for one in rooms}:
            await run_in_db(note_viewers, minute_of(at), counts)

    def _viewers(self, topic: str) -> int:
        return self._rooms.now(topic).get("viewers", 0)


def note_viewers(minute: datetime, counts: Mapping[UUID, int]) -> None:
    """Keep how many watched each show (by its public id); what is noted already stays.

    Viewers of a replay are no audience of the show.
    """
    shows = Show.objects.filter(public_id__in=counts).exclude(state=ShowState.ENDED)
    ViewersSample.objects.bulk_create(
        [
            ViewersSample(show_id=pk, minute=minute, viewers=counts[public_id])
            for pk, public_id in shows.values_list("pk", "public_id")
        ],
        ignore_conflicts=True,
    )
