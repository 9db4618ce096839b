"""One broadcaster's hold on the running take of a show."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from media_pipeline.ingest.chunks import Chunk
from media_pipeline.ingest.errors import IngestRefused, TakeIsOver
from media_pipeline.ingest.live_take import LiveTake


class Holder(Protocol):
    """Who has the take, as `Broadcast` does."""

    async def hears(self, take: LiveTake) -> None:
        """Chunks have come; before they are kept."""

    async def heard(self, take: LiveTake) -> None:
        """Chunks are kept."""

    async def finish(self, by: Connection) -> None: ...

    async def lost(self, connection: Connection) -> None: ...


class Connection:
    """`refused` is set when the take is taken away.

    `asked_to_leave` comes before that: stop the recorder, send the rest of the take and seal it.
    """

    def __init__(self, holder: Holder, take: LiveTake) -> None:
        self.refused: asyncio.Future[IngestRefused] = asyncio.get_running_loop().create_future()
        self.asked_to_leave = asyncio.Event()
        self._holder = holder
        self._take = take
        self._heard_at = time.monotonic()

    @property
    def next(self) -> int:
        return self._take.next

    @property
    def silent_s(self) -> float:
        return time.monotonic() - self._heard_at

    async def append(self, chunks: Sequence[Chunk]) -> int:
        """As `LiveTake.append`; a take that is over says why it is."""
        try:
            await self._holder.hears(self._take)
            self._heard_at = time.monotonic()
            stored = await self._take.append(chunks)
        except TakeIsOver:
            raise await self.refused from None
        await self._holder.heard(self._take)
        return stored

    async def seal(self) -> float:
        """The recorder has stopped: the take's seconds, once all of it is in segments.

        Raises why the take was over already, or why nothing of it can be played.
        """
        await self._holder.finish(self)
        if self.refused.done():
            raise self.refused.result()
        return self._take.duration_s

    def refuse(self, why: IngestRefused) -> None:
        if not self.refused.done():
            self.refused.set_result(why)

    async def lost(self) -> None:
        """The socket is gone; the take waits for it for a while."""
        self.refused.cancel()
        await self._holder.lost(self)
