"""A phone's hold on a take of which it sends what it kept: for the recording, and not to viewers.

The chunks go to the disk and are acknowledged as those of every take; segments are made of them
when the phone says that it has sent all. The row and the files know the rest, so nothing is kept
here when the phone goes away: it comes back to whatever process it gets.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import DatabaseError

from core.clock import now
from core.realtime.db import run_in_db
from media_pipeline.ingest import layout
from media_pipeline.ingest.chunks import Chunk, ChunkFile, following
from media_pipeline.ingest.errors import (
    BadProtocol,
    DiskFull,
    IngestRefused,
    ServerStops,
    ShowIsOver,
    TakeIsOver,
)
from media_pipeline.ingest.files import in_files
from media_pipeline.ingest.rebuild import rebuild
from media_pipeline.models import Take
from media_pipeline.services import late_takes, takes

log = logging.getLogger(__name__)

SILENT_S = 30.0
"""One that says nothing for so long is let go. The picture of now goes first, but leaves room."""


class LateConnection:
    """As `Connection`. Chunks of it count as having come when they were filmed."""

    def __init__(self, row: Take, chunks: ChunkFile, began_at: datetime) -> None:
        """`began_at` is when the take's recorder was started, by what its phone says."""
        self.refused: asyncio.Future[IngestRefused] = asyncio.get_running_loop().create_future()
        self.asked_to_leave = asyncio.Event()  # never: it is in nobody's way
        self._row = row
        self._chunks = chunks
        self._began_at = began_at
        self._working = asyncio.Lock()
        self._is_open = True
        self._heard_at = time.monotonic()
        self._keeping = asyncio.create_task(self._keep())

    @classmethod
    async def open(cls, row: Take, *, age_s: float) -> LateConnection:
        """`row` was received (`late_takes.receive`); `age_s` ago its recorder was started."""
        folder = layout.chunks_folder(row.public_id)
        return cls(row, await in_files(ChunkFile, folder), now() - timedelta(seconds=age_s))

    @property
    def next(self) -> int:
        return self._chunks.next

    async def append(self, chunks: Sequence[Chunk]) -> int:
        """As `LiveTake.append`; raises why the take was let go, if it was."""
        self._heard_at = time.monotonic()
        async with self._working:
            self._check_open()
            new, is_gapless = following(chunks, self.next)
            timed = [(one, self._filmed_at(one)) for one in new]
            try:
                await in_files(self._chunks.append_each, timed)
            except OSError as error:
                log.exception("%d chunks could not be stored", len(chunks))
                raise DiskFull from error
            if not is_gapless:
                raise BadProtocol
            return self.next

    def _filmed_at(self, chunk: Chunk) -> datetime:
        return self._began_at + timedelta(milliseconds=chunk.offset_ms)

    async def seal(self) -> float:
        """All that the phone kept is here: the take's seconds, now that they are in segments."""
        async with self._working:
            self._check_open()
            self._is_open = False
            try:
                await in_files(self._chunks.close)
                started_at = await rebuild(self._row)
                await run_in_db(takes.finish, self._row, started_at)
            finally:
                self._keeping.cancel()
        return await run_in_db(_seconds_of, self._row)

    def _check_open(self) -> None:
        if not self._is_open:
            raise self.refused.result() if self.refused.done() else TakeIsOver()

    async def leave(self, why: IngestRefused) -> None:
        """Let the take go, at once or when it has been sealed; another process may have it then."""
        if not self.refused.done():
            self.refused.set_result(why)
        async with self._working:
            if not self._is_open:
                return
            self._is_open = False
            self._keeping.cancel()
            await in_files(self._chunks.close)
        await run_in_db(takes.let_go, self._row)

    async def lost(self) -> None:
        """The socket is gone."""
        await self.leave(ServerStops())
        self.refused.cancel()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(takes.KEEP_EVERY_S)
            try:
                kept = await run_in_db(late_takes.keep, self._row)
            except DatabaseError:
                log.exception("could not say that take %s is received here", self._row.public_id)
                continue
            is_silent = time.monotonic() - self._heard_at > SILENT_S and self._is_open
            if kept is takes.Kept.SHOW_IS_OVER:
                self._let_go(ShowIsOver())
            elif kept is takes.Kept.LOST or is_silent:
                self._let_go(ServerStops())

    def _let_go(self, why: IngestRefused) -> None:
        """Whoever speaks for the socket hears of it, says so, and leaves."""
        if not self.refused.done():
            self.refused.set_result(why)


def _seconds_of(row: Take) -> float:
    duration_s: float = Take.objects.values_list("duration_s", flat=True).get(pk=row.pk)
    return duration_s
