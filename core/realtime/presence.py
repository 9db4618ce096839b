"""How many people are in each room, counted over all processes once a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable
from typing import Protocol

from core.realtime import tasks
from core.realtime.shared import Shared

log = logging.getLogger(__name__)

EVERY_S = 1.0
UNCOUNTED = "user:"
"""How the topics of single people begin: thousands of them, and nobody asks who is there."""


class Rooms(Protocol):
    """What of the hub is needed here."""

    def topics(self) -> Iterable[str]: ...

    def viewer_keys(self, topic: str) -> Collection[str]: ...

    def set_now(self, topic: str, **values: int) -> None: ...


class Presence:
    """Tells every room of the hub its `viewers`. Somebody with three tabs is one viewer."""

    def __init__(self, rooms: Rooms, shared: Shared) -> None:
        self._rooms = rooms
        self._shared = shared
        self._counting: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._counting = asyncio.create_task(self._count_forever(), name="presence")

    async def stop(self) -> None:
        await tasks.end(self._counting)

    async def count(self) -> None:
        """Count now, and let the hub tell what changed."""
        here = {
            topic: self._rooms.viewer_keys(topic)
            for topic in list(self._rooms.topics())
            if not topic.startswith(UNCOUNTED)
        }
        for topic, viewers in (await self._shared.present(here)).items():
            self._rooms.set_now(topic, viewers=viewers)

    async def _count_forever(self) -> None:
        while True:
            started = time.monotonic()
            await self.count()
            await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - started)))
