"""One take while it comes in: chunks to disk, and from the disk through ffmpeg into parts.

ffmpeg is fed from the file and not from memory: however slow it is, what waits for it waits on the
disk, and a chunk is acknowledged without it. So it can also be fed again: an encoder that was
killed, with its server or alone, is followed by one that goes on where the segments end.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Protocol

from core.clock import now
from media_pipeline.clock import STEADY, Drift
from media_pipeline.ingest import entry
from media_pipeline.ingest.boxes import Init
from media_pipeline.ingest.chunks import Chunk, ChunkFile, following
from media_pipeline.ingest.encoder import Encoder
from media_pipeline.ingest.encoding import Run
from media_pipeline.ingest.entry import Entry
from media_pipeline.ingest.errors import (
    BadProtocol,
    DiskFull,
    IngestRefused,
    NoVideo,
    PictureTooBig,
    TakeIsOver,
    Unreadable,
)
from media_pipeline.ingest.files import in_files
from media_pipeline.ingest.grouping import FRAME_S, Piece
from media_pipeline.ingest.segmenter import Segmenter
from media_pipeline.ingest.source import Source, recognise
from media_pipeline.ingest.zero import MediaZero
from media_pipeline.live.parts import Part
from media_pipeline.playlists import Segment

log = logging.getLogger(__name__)

BLOCK = 256 * 1024
BARREN_RUNS = 3
"""So many encoders one after the other may end without a new segment."""
DISK_AGAIN_S = 0.5
DISK_TRIES = 10
"""How often a closed take tries to write to a full disk; an open one waits as long as it takes."""


class Picture(Protocol):
    """Where live parts go. Its calls do not wait."""

    def began(self, init: Init) -> None: ...

    def came(self, part: Part) -> bool:
        """Whether viewers are given it: what is late is for the recording alone."""

    def ended(self) -> None: ...


class LiveTake:
    """Give it chunks with `append` while `run` is running; `close` says that no more will come."""

    def __init__(
        self,
        folder: Path,
        chunks: ChunkFile,
        on_growth: Callable[[], Awaitable[None]],
        *,
        picture: Picture | None = None,
        sound_will_do: bool = False,
        started_at: datetime | None = None,
        drift: Drift = STEADY,
    ) -> None:
        """`folder` gets the segments; `on_growth` hears each time there are more of them.

        `started_at` and `drift` are known of a take that an earlier process has begun.
        """
        self.encoder: Encoder | None = None
        self._picture = picture
        self._sound_will_do = sound_will_do
        self._segmenter = Segmenter(folder)
        self._zero = MediaZero(chunks.early, started_at, self._segmenter.start_s, drift)
        self._chunks = chunks
        self._on_growth = on_growth
        self._is_closed = False
        self._is_left = False
        self._why: IngestRefused | None = None
        self._came = asyncio.Event()
        self._appending = asyncio.Lock()
        self._shown_s: float | None = None
        self._is_showing = False
        self.shown_at = -math.inf
        """When viewers were last given a part, by the monotonic clock."""

    @property
    def next(self) -> int:
        """The number of the chunk that is expected next."""
        return self._chunks.next

    @property
    def bytes_received(self) -> int:
        return self._chunks.size

    @property
    def segments(self) -> Sequence[Segment]:
        return self._segmenter.segments

    @property
    def duration_s(self) -> float:
        """Seconds in segments so far."""
        return self._segmenter.duration_s

    @property
    def zero_at(self) -> datetime:
        """The wall time of second 0 of its parts by the camera's clock now, as far as known."""
        return self._zero.now or now()

    @property
    def drift(self) -> Drift:
        return self._zero.drift(self._segmenter.start_s)

    @property
    def started_at(self) -> datetime | None:
        """The wall time at which the first segment begins; it may still become more exact."""
        return self._zero.at(self._segmenter.start_s)

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def is_left(self) -> bool:
        """Whether it was left open for another process to continue."""
        return self._is_left

    async def append(self, chunks: Sequence[Chunk]) -> int:
        """Put chunks on disk; the number of the next one. Those that are there are no error.

        Raises `BadProtocol` when chunks before one are missing, `TakeIsOver` when they come too
        late and `DiskFull` when they cannot be kept now.
        """
        arrived = now()
        async with self._appending:
            if self._is_closed:
                raise TakeIsOver
            new, is_gapless = following(chunks, self.next)
            if new:
                await self._store(new, arrived)
            if not is_gapless:
                raise BadProtocol
            return self.next

    async def _store(self, chunks: Sequence[Chunk], arrived: datetime) -> None:
        try:
            await in_files(self._chunks.append, chunks, arrived)
        except OSError as error:
            log.exception("%d chunks could not be stored", len(chunks))
            raise DiskFull from error
        for chunk in chunks:
            self._zero.note_chunk(arrived, timedelta(milliseconds=chunk.offset_ms))
        self._came.set()

    async def close(self, why: IngestRefused | None = None) -> None:
        """No more chunks: `run` ends when all that came is in segments.

        `why` is for a broadcaster who did not ask for it: `run` will return it.
        """
        async with self._appending:
            self._is_closed = True
            self._why = self._why or why
        self._came.set()

    async def leave(self, why: IngestRefused) -> None:
        """`run` ends at once, and what came in can be continued by another process."""
        self._is_left = True
        await self.close(why)
        if self.encoder is not None:
            self.encoder.kill()

    async def run(self) -> IngestRefused | None:
        """Make segments until the take is closed or cannot go on.

        Returns why there is no good end: it could not go on, made no segment, or was closed so.
        """
        try:
            source = await self._recognised()
            await self._encode_all(source)
        except IngestRefused as refused:
            return self._why or refused
        finally:
            self._is_closed = True
            async with self._appending:
                await in_files(self._chunks.close)
        return self._why

    async def _recognised(self) -> Source:
        """What the stream is; refused if it was closed before it could say."""
        while (source := await in_files(self._recognise)) is None:
            if self._is_closed:
                raise Unreadable if self.bytes_received else NoVideo
            await self._more()
        return source

    def _recognise(self) -> Source | None:
        head = self._chunks.read(0, 2 * BLOCK + 64)
        return recognise(head, sound_will_do=self._sound_will_do)

    async def _encode_all(self, source: Source) -> None:
        """One encoder, and another after each that was killed; until all is in segments."""
        barren = 0
        while not self._is_left:
            had_s = self.duration_s
            run = Run(self, source, await in_files(self._entry, source))
            self.encoder = run.encoder = await Encoder.start(run.command)
            self._is_showing = False
            is_whole = await run.to_its_end()
            if self._is_left or is_whole:
                break
            log.warning("live encoder of %s stopped: %s", self._segmenter.folder, run.encoder.said)
            barren = barren + 1 if self.duration_s == had_s else 0
            if barren == BARREN_RUNS or run.is_hopeless:
                await self.keep(None)
                raise TakeIsOver if self.segments else _unplayable(run.encoder.said)
        if not self._is_left and not self.segments:
            raise _unplayable(self.encoder.said if self.encoder else "")

    def _entry(self, source: Source) -> Entry:
        # Not at the last picture itself: a demuxer that begins with a key frame may give it another
        # time than one that comes by it.
        before_s = None if self.last_s is None else self.last_s - 2 * entry.FRAME_S
        return entry.entry_before(self._chunks, source, before_s)

    # For the encoder's run

    @property
    def last_s(self) -> float | None:
        """When the last picture in segments begins; `None` if there is none yet."""
        return self._segmenter.last_s

    async def read(self, at: int, encoder: Encoder) -> bytes:
        """What came from byte `at` on, waiting for it; empty when no more is coming or wanted."""
        while not (block := await in_files(self._chunks.read, at, BLOCK)):
            if self._is_closed or encoder.has_exited:
                return b""
            await self._more()
        return block

    def wake(self) -> None:
        """Whoever waits for bytes may look again."""
        self._came.set()

    async def _more(self) -> None:
        await self._came.wait()
        self._came.clear()

    def begin(self, init: Init) -> None:
        if self._picture is not None and self._shown_s is None:
            self._picture.began(init)

    def show(self, part: Piece) -> None:
        """Give viewers what they have not had; after another encoder from a key frame on."""
        self._zero.note_part(at := now(), part.end_s)
        # Of a part's last picture the begin is known, the end only guessed.
        if self._shown_s is not None and part.start_s < self._shown_s + FRAME_S:
            return
        if self._picture is None or not (self._is_showing or part.is_key):
            return
        self._is_showing, self._shown_s = True, part.last_s
        if self._picture.came(part):
            self.shown_at = monotonic()
            self._zero.note_picture(at, part.last_s)

    def show_nothing(self) -> None:
        """There is no live picture any more; doing it twice does no harm."""
        if self._picture is not None:
            self._picture.ended()

    async def keep(self, item: Init | Piece | None) -> None:
        """Into the segments; `None` is the end. Waits for a full disk; raises `InitChanged`."""
        tries = 0
        while True:
            if self._is_left:  # another process may be writing them
                return
            try:
                has_grown = await in_files(self._put, item)
                break
            except OSError as error:
                log.exception("a segment in %s could not be written", self._segmenter.folder)
                tries = tries + 1 if self._is_closed else 0
                if self._is_left or tries == DISK_TRIES:
                    raise DiskFull from error
                await asyncio.sleep(DISK_AGAIN_S)
        if has_grown:
            await self._on_growth()

    def _put(self, item: Init | Piece | None) -> bool:
        if isinstance(item, Init):
            self._segmenter.begin(item)
            return False
        return self._segmenter.finish() if item is None else self._segmenter.add(item)


def _unplayable(said: str) -> IngestRefused:
    if "exceeds specified max pixel count" in said:
        return PictureTooBig()
    return NoVideo() if "matches no streams" in said else Unreadable()
