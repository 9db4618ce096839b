"""The live renditions of this process's cameras, and their state told to the studio."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from django.conf import settings

from core.clock import now
from core.realtime.db import run_in_db
from core.realtime.log import LogClosed, LogUnavailable
from core.realtime.runtime import Runtime
from media_pipeline.live.feed import feeds
from media_pipeline.live.low import Renditions, Shop, State
from media_pipeline.selectors import recording_key
from streams.studio.protocol import RenditionsChanged
from streams.studio.topics import studio_topic

log = logging.getLogger(__name__)


class LiveRenditions:
    """Made beside every source whose camera is in this process, from `start` to `stop`."""

    def __init__(self, running: Runtime) -> None:
        self._log = running.log
        self._telling: set[asyncio.Task[None]] = set()
        self.made = Renditions(
            Shop(feeds, tell=self._tell_later, key_of=_key_of, mode=settings.LIVE_RENDITIONS)
        )

    def start(self) -> None:
        feeds.follower = self.made

    async def stop(self) -> None:
        """All their programs have ended, and the studios know."""
        feeds.follower = None
        await self.made.stop()
        if self._telling:
            await asyncio.wait(self._telling)

    def _tell_later(self, show_id: UUID, state: State) -> None:
        task = asyncio.create_task(self._tell(show_id, state))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, show_id: UUID, state: State) -> None:
        try:
            await self._log.append(studio_topic(show_id), [RenditionsChanged(state).entry(now())])
        except (LogUnavailable, LogClosed) as error:
            log.warning("the studio of %s was not told its renditions: %s", show_id, error)


async def _key_of(show_id: UUID) -> str:
    return await run_in_db(recording_key, show_id)
