"""One take while it comes in: chunks to disk, and from the disk through ffmpeg into segments.

ffmpeg is fed from the file and not from memory: however slow it is, what waits for it waits on the
disk, and a chunk is acknowledged without it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import now
from media_pipeline.ingest.chunks import ChunkFile
from media_pipeline.ingest.encoder import Encoder, EncoderGone
from media_pipeline.ingest.errors import (
    BadProtocol,
    IngestRefused,
    NoVideo,
    TakeIsOver,
    Unreadable,
)
from media_pipeline.ingest.files import in_files
from media_pipeline.ingest.recipe import PLAYLIST
from media_pipeline.ingest.source import Source, recognise
from media_pipeline.playlists import Segment, parse_segments

log = logging.getLogger(__name__)

BLOCK = 256 * 1024
LOOK_EVERY_S = 0.1
PHONE_KEEPS = timedelta(seconds=30)
"""A take is opened at most so long after its recorder was started."""
FIRST_SEGMENT_S = 20.0
"""A stream that has made no segment by then has no picture that can be shown."""


class LiveTake:
    """Give it chunks with `append` while `run` is running; `close` says that no more will come."""

    def __init__(
        self, folder: Path, chunks: ChunkFile, on_growth: Callable[[], Awaitable[None]]
    ) -> None:
        """`folder` gets the segments; `on_growth` hears each time there are more of them."""
        self.folder = folder
        self.segments: tuple[Segment, ...] = ()
        self.started_at: datetime | None = None
        self.encoder: Encoder | None = None
        self._chunks = chunks
        self._on_growth = on_growth
        self._fed = 0
        self._is_closed = False
        self._why: IngestRefused | None = None
        self._earliest_start = now() - PHONE_KEEPS
        self._came = asyncio.Event()
        self._appending = asyncio.Lock()
        self._seen_ns = 0

    @property
    def next(self) -> int:
        """The number of the chunk that is expected next."""
        return self._chunks.next

    @property
    def bytes_received(self) -> int:
        return self._chunks.size

    @property
    def duration_s(self) -> float:
        """Seconds in segments so far."""
        return sum(segment.duration_s for segment in self.segments)

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    async def append(self, number: int, offset_ms: float, payload: bytes) -> int:
        """Put a chunk on disk; the number of the next one. One that is there already is no error.

        `offset_ms` is when the recorder handed the chunk over, on its own clock. Raises
        `BadProtocol` when chunks before it are missing, `TakeIsOver` when it comes too late.
        """
        arrived = now()
        async with self._appending:
            if self._is_closed:
                raise TakeIsOver
            if number > self.next:
                raise BadProtocol
            if number == self.next:
                await in_files(self._chunks.append, payload, offset_ms, arrived)
                self._note_start(arrived, timedelta(milliseconds=offset_ms))
                self._came.set()
            return self.next

    def _note_start(self, arrived: datetime, offset: timedelta) -> None:
        """Media zero is where the least delayed chunk puts it; fixed once segments refer to it.

        An offset that no recorder of this take can have tells only when its chunk came.
        """
        at = arrived - offset
        if at < self._earliest_start:
            at = arrived
        if not self.segments:
            self.started_at = min(self.started_at or at, at)

    async def close(self, why: IngestRefused | None = None) -> None:
        """No more chunks: `run` ends when all that came is in segments.

        `why` is for a broadcaster who did not ask for it: `run` will return it.
        """
        async with self._appending:
            self._is_closed = True
            self._why = self._why or why
        self._came.set()

    async def run(self) -> IngestRefused | None:
        """Make segments until the take is closed or cannot go on.

        Returns why there is no good end: it could not go on, made no segment, or was closed so.
        """
        try:
            await self._encode(await self._recognised())
        except IngestRefused as refused:
            return self._why or refused
        finally:
            self._is_closed = True
            async with self._appending:
                await in_files(self._chunks.close)
        return self._why

    async def _recognised(self) -> Source:
        """What the stream is; refused if it was closed before it could say."""
        while (source := recognise(await in_files(self._chunks.read, 0, 2 * BLOCK + 64))) is None:
            if self._is_closed:
                raise Unreadable if self.bytes_received else NoVideo
            await self._more()
        return source

    async def _encode(self, source: Source) -> None:
        self.encoder = encoder = await Encoder.start(source, self.folder)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(encoder))
                tasks.create_task(self._feed(encoder))
        finally:
            encoder.kill()
        if not self._is_closed or not self.segments:
            log.warning("live encoder in %s stopped: %s", self.folder, encoder.said)
            raise TakeIsOver if self.segments else _unplayable(encoder.said)

    async def _feed(self, encoder: Encoder) -> None:
        """Everything from the file, then the end; stops when ffmpeg does."""
        try:
            while not encoder.has_exited:
                block = await in_files(self._chunks.read, self._fed, BLOCK)
                if block:
                    await encoder.feed(block)
                    self._fed += len(block)
                elif self._is_closed:
                    break
                else:
                    await self._more()
        except EncoderGone:
            pass
        await encoder.finish()

    async def _more(self) -> None:
        await self._came.wait()
        self._came.clear()

    async def _watch(self, encoder: Encoder) -> None:
        """Tell of new segments until ffmpeg has exited; do not wait for ever for the first."""
        patient_until = time.monotonic() + FIRST_SEGMENT_S
        while not await encoder.wait(LOOK_EVERY_S):
            await self._look()
            if not self.segments and time.monotonic() > patient_until:
                encoder.kill()
        self._came.set()  # the feeder may be waiting for bytes that nobody needs now
        await self._look()

    async def _look(self) -> None:
        if await in_files(self._reread):
            await self._on_growth()

    def _reread(self) -> bool:
        """Read the take's playlist if ffmpeg has written it anew; whether segments were added."""
        path = self.folder / PLAYLIST
        try:
            modified_ns = path.stat().st_mtime_ns
        except FileNotFoundError:
            return False
        if modified_ns == self._seen_ns:
            return False
        before, self.segments = self.segments, parse_segments(path.read_text())
        self._seen_ns = modified_ns
        return len(self.segments) > len(before)


def _unplayable(said: str) -> IngestRefused:
    return NoVideo() if "matches no streams" in said else Unreadable()
