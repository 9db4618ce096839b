"""What the other web processes are told of a take: that this one receives it, and still does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from django.db import DatabaseError

from core.realtime.db import run_in_db
from media_pipeline.models import Take
from media_pipeline.services import takes
from media_pipeline.services.takes import Kept

log = logging.getLogger(__name__)


class Lease:
    """Runs out unless it is renewed; then any process may continue the take, or seal it."""

    def __init__(self, row: Take, heed: Callable[[Kept], Awaitable[None]]) -> None:
        """`heed` is called with what the others want whenever that was asked."""
        self._row = row
        self._heed = heed
        self._asking = asyncio.Lock()  # of two at once the second would find the first's time

    async def renew(self) -> Kept:
        return await self._ask(takes.keep)

    async def check(self) -> Kept:
        """Whether nobody else has the take by now, without holding on to it."""
        return await self._ask(takes.still_held)

    async def _ask(self, question: Callable[[Take], Kept]) -> Kept:
        async with self._asking:
            kept = await run_in_db(question, self._row)
        await self._heed(kept)
        return kept

    async def keep(self, is_silent: Callable[[], bool]) -> None:
        """Renew it again and again, except while its camera is silent: that may have gone to
        another process, which then gets the show."""
        while True:
            await asyncio.sleep(takes.KEEP_EVERY_S)
            try:
                await (self.check() if is_silent() else self.renew())
            except DatabaseError:
                log.exception("could not say that take %s is received here", self._row.public_id)
