"""Telling people that something of their jobs has changed, on their own topic `user:<id>`.

Each web process looks once a second at what changed, if anybody is here who could care, and tells
those who are: `{"now": {"jobs": 1790000000123}}`, another number each time. Nothing of it is kept,
since a job's row always says how it is; who hears of it asks for what their page shows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Q

from core.accounts.models import Role, RoleGrant, User
from core.clock import epoch_ms, now
from core.realtime import tasks
from core.realtime.db import run_in_db
from media_pipeline.models import Job, Upload
from sellers.access import KEEPERS
from sellers.models import Member
from streams.me_consumer import PREFIX
from streams.models import Show

log = logging.getLogger(__name__)

EVERY_S = 1.0
# Clocks of workers differ, and a change is seen only once it is committed.
OVERLAP = timedelta(seconds=10)
MOST = 500


class Rooms(Protocol):
    """What of the hub is needed here."""

    def topics(self) -> Collection[str]: ...

    def set_now(self, topic: str, **values: int) -> None: ...


class JobNews:
    """Looks and tells until it is stopped."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._telling: asyncio.Task[None] | None = None
        self._known: dict[int, datetime] = {}

    def start(self) -> None:
        self._telling = asyncio.create_task(self._tell_forever(), name="job-news")

    async def stop(self) -> None:
        await tasks.end(self._telling)

    async def _tell_forever(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.tell()
            except DatabaseError:  # a second later it is asked again
                log.warning("changes of jobs could not be looked up", exc_info=True)

    async def tell(self) -> None:
        """Look once, and tell who is here."""
        here = {topic for topic in self._rooms.topics() if topic.startswith(f"{PREFIX}:")}
        if not here:
            return
        changed = await run_in_db(changed_jobs)
        fresh = {pk for pk, at in changed.items() if self._known.get(pk) != at}
        self._known = changed
        if not fresh:
            return
        number = epoch_ms(now())
        for person in await run_in_db(people_of, fresh):
            if (topic := f"{PREFIX}:{person}") in here:
                self._rooms.set_now(topic, jobs=number)


def changed_jobs() -> dict[int, datetime]:
    """When what changed last; the newest `MOST` of the last seconds."""
    recent = Job.objects.filter(changed_at__gt=now() - OVERLAP).order_by("-changed_at")
    return dict(recent.values_list("pk", "changed_at")[:MOST])


def people_of(job_ids: Collection[int]) -> set[UUID]:
    """Public ids of those on whose page one of these jobs is."""
    found = Job.objects.filter(pk__in=job_ids)
    show_ids = found.exclude(show_id=None).values("show_id")
    shows = Show.objects.filter(public_id__in=show_ids)
    films = Upload.objects.filter(show_id__in=show_ids)
    keepers = Member.objects.filter(role__in=KEEPERS)
    of_sellers = Q(seller__in=shows.values("seller")) | Q(seller__in=films.values("seller"))
    people = User.objects.filter(
        Q(pk__in=found.values("owner"))
        | Q(pk__in=shows.values("host"))
        | Q(pk__in=keepers.filter(of_sellers).values("user"))
        | Q(pk__in=RoleGrant.objects.filter(role=Role.OPERATOR).values("user"))
        | Q(is_superuser=True)
    )
    return set(people.values_list("public_id", flat=True))
