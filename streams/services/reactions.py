"""Likes: counted over all processes, told by `now`, never logged one by one.

A like is worth less than a write. Each process counts what came to it and shares the sum once a
second; every few seconds the show's row is brought up to what all of them have counted. A number
that was shown never falls while anybody who showed it lives.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError
from django.utils.translation import gettext as _

from core.errors import TooMany
from core.realtime import tasks
from core.realtime.db import run_in_db
from core.realtime.hub import Hub
from core.realtime.runtime import Runtime, current
from core.realtime.shared import Count, Shared, SharedAway
from streams.models import Show

log = logging.getLogger(__name__)

SHARE_EVERY_S = 1.0
STORE_EVERY_S = 5.0
REMEMBERED_SHOWS = 1000
BURST = 20
EVERY_S = 0.2
PREFIX = "show:"


@dataclass(slots=True)
class Tally:
    """A show's likes: those of all processes as last heard, and ours that they do not know yet."""

    shared: int = 0
    ours: int = 0
    stored: int = 0
    is_known: bool = False

    @property
    def total(self) -> int:
        return self.shared + self.ours


_tallies: OrderedDict[UUID, Tally] = OrderedDict()


async def like(show_id: UUID, viewer_key: str) -> int:
    """Count a like; how many there are now. Raises `TooMany`."""
    key = f"{show_id}:{viewer_key}"
    wait_s = await current().shared.take("like", key, burst=BURST, every_s=EVERY_S)
    if wait_s:
        raise TooMany(_("That was a lot of likes. Thank you!"), retry_after=wait_s)
    tally = _tally(show_id)
    tally.ours += 1
    return tally.total


def likes(show_id: UUID, *, stored: int = 0) -> int:
    """How many there are as far as this process knows; `stored` is what the show's row says."""
    return max(_tallies[show_id].total if show_id in _tallies else 0, stored)


class Sharing:
    """Shares, stores and tells the likes of the rooms of this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._shared: Shared = runtime.shared
        self._hub: Hub = runtime.hub
        self._stored_at = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._share_forever(), name="likes")

    async def stop(self) -> None:
        """Share and store what is left."""
        await tasks.end(self._task)
        self._stored_at = float("-inf")
        await self.share()

    async def share(self) -> None:
        """Exchange numbers with the other processes, and tell the rooms."""
        rooms = self._rooms()
        shows = {*rooms, *(show for show, one in _tallies.items() if one.ours)}
        try:
            await self._learn([show for show in shows if not _tally(show).is_known])
            await self._exchange(shows)
            await self._store()
        except (SharedAway, DatabaseError) as error:
            log.info("likes are shared later: %s", error)
        for show_id, topic in rooms.items():
            self._hub.set_now(topic, likes=_tally(show_id).total)

    def _rooms(self) -> dict[UUID, str]:
        topics = [topic for topic in self._hub.topics() if topic.startswith(PREFIX)]
        return {UUID(topic.removeprefix(PREFIX)): topic for topic in topics}

    async def _learn(self, shows: list[UUID]) -> None:
        """Begin with what was stored: by the process before this one, or by others."""
        if not shows:
            return
        found = await run_in_db(_stored, shows)
        for show_id in shows:
            tally = _tally(show_id)
            tally.stored = found.get(show_id, 0)
            tally.shared = max(tally.shared, tally.stored)
            tally.is_known = True

    async def _exchange(self, shows: set[UUID]) -> None:
        asked = {show_id: _tally(show_id) for show_id in shows}
        counts = {f"likes:{show}": Count(one.shared, one.ours) for show, one in asked.items()}
        totals = await self._shared.count(counts)
        for show_id, tally in asked.items():
            tally.ours -= counts[f"likes:{show_id}"].more  # more may have come meanwhile
            tally.shared = totals[f"likes:{show_id}"]

    async def _store(self) -> None:
        if time.monotonic() - self._stored_at < STORE_EVERY_S:
            return
        self._stored_at = time.monotonic()
        behind = {show: one.shared for show, one in _tallies.items() if one.shared > one.stored}
        if behind:
            await run_in_db(_raise, behind)
        for show_id, number in behind.items():
            _tally(show_id).stored = number

    async def _share_forever(self) -> None:
        while True:
            await asyncio.sleep(SHARE_EVERY_S)
            await self.share()


def _tally(show_id: UUID) -> Tally:
    tally = _tallies.setdefault(show_id, Tally())
    _tallies.move_to_end(show_id)
    while len(_tallies) > REMEMBERED_SHOWS:
        _tallies.popitem(last=False)
    return tally


def _stored(shows: list[UUID]) -> dict[UUID, int]:
    found = Show.objects.filter(public_id__in=shows)
    return dict(found.values_list("public_id", "likes"))


def _raise(numbers: Mapping[UUID, int]) -> None:
    """Every process stores the number of all: it only rises, whoever is first and however often.

    So the likes of a process that was killed are stored by the others.
    """
    for show_id, number in numbers.items():
        Show.objects.filter(public_id=show_id, likes__lt=number).update(likes=number)
