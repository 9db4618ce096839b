"""What runs in a web process beside its requests: real time, likes, and the desk for cameras."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError

from core.realtime import runtime
from core.realtime.db import run_in_db
from courses.practice.runner import Practices
from media_pipeline.ingest.desk import desk
from media_pipeline.live.feed import feeds
from orders.services.commit import committer
from streams.jobs.news import JobNews
from streams.pulling import pulls
from streams.services import reactions, shows
from streams.studio.renditions import LiveRenditions
from streams.studio.sampling import Sampler

if TYPE_CHECKING:
    from media_pipeline.live.relay import RedisRelay

log = logging.getLogger(__name__)

SWEEP_EVERY_S = 3.0
# After the database was away: the others first say again what they receive.
SWEEP_PAUSE_S = 15.0


class Sweeper:
    """Seals what web processes that were killed left open, once their cameras do not come back."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._sweep_forever(), name="sweeper")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await run_in_db(shows.seal_leftovers, alone=False)
            except DatabaseError:
                log.exception("could not look for what other processes left open")
                await asyncio.sleep(SWEEP_PAUSE_S)


class Web:
    """The parts of one web process, in the order in which they start."""

    def __init__(self, running: runtime.Runtime) -> None:
        self._alone = running.alone
        self._likes = reactions.Sharing(running)
        self._sweeper = Sweeper()
        self._sampler = Sampler(running.hub)
        self._job_news = JobNews(running.hub)
        self._practices = Practices(running)
        self._relay = None if running.alone else _relay()
        self._renditions = LiveRenditions(running)

    async def start(self) -> None:
        await run_in_db(shows.seal_leftovers, alone=self._alone)
        self._likes.start()
        self._sampler.start()
        self._job_news.start()
        self._practices.start()
        pulls.start()
        self._sweeper.start()
        if self._relay is not None:
            self._relay.start()
        self._renditions.start()

    async def stop(self) -> None:
        await asyncio.to_thread(committer.stop)
        await self._sweeper.stop()
        await self._sampler.stop()
        await self._job_news.stop()
        await self._practices.stop()
        await pulls.stop()
        await desk.stop()
        await self._renditions.stop()
        if self._relay is not None:
            await self._relay.stop()
        await self._likes.stop()


def _relay() -> RedisRelay:
    from media_pipeline.live.relay import RedisRelay  # who is alone needs no Redis client

    return RedisRelay(feeds, settings.REDIS_URL)


_web: Web | None = None


async def start() -> None:
    """Before the first connection. Raises `runtime.AlreadyRunning`."""
    global _web
    _web = Web(await runtime.start())
    await _web.start()


async def stop_parts() -> None:
    """Cameras are let go and their takes sealed, likes are stored: what needs the rooms."""
    global _web
    if _web is not None:
        web, _web = _web, None
        await web.stop()


async def stop() -> None:
    """Cameras are let go and their takes sealed, then the rooms are told to come back."""
    await stop_parts()
    await runtime.stop()
