"""One encoder's life in a take: fed from what came, read and written down at the same time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic
from typing import Protocol

from media_pipeline.ffmpeg import MAX_PIXELS
from media_pipeline.ingest.boxes import BadBoxes, Init
from media_pipeline.ingest.encoder import FINISH_S, Encoder, EncoderGone
from media_pipeline.ingest.entry import Entry
from media_pipeline.ingest.errors import DiskFull, IngestRefused, PictureTooBig, TakeIsOver
from media_pipeline.ingest.grouping import Grouping, Piece
from media_pipeline.ingest.recipe import live_command
from media_pipeline.ingest.segmenter import InitChanged
from media_pipeline.ingest.source import Source
from media_pipeline.playlists import Segment

log = logging.getLogger(__name__)

FIRST_SEGMENT_S = 20.0
"""A stream that came for so long and made no segment has no picture that can be shown."""
COMING_S = 2.0
"""Bytes still come when there were some so short a time ago; a phone may lose its network."""
WAITING_PARTS = 64


class Encoded(Protocol):
    """The take that is encoded, as `LiveTake` is one."""

    @property
    def is_closed(self) -> bool: ...

    @property
    def segments(self) -> Sequence[Segment]: ...

    @property
    def last_s(self) -> float | None: ...

    async def read(self, at: int, encoder: Encoder) -> bytes: ...

    def wake(self) -> None: ...

    def begin(self, init: Init) -> None: ...

    def show(self, part: Piece) -> None: ...

    async def keep(self, item: Init | Piece | None) -> None: ...


class Run:
    """`to_its_end` is what there is to do; `is_hopeless` then says whether another would help."""

    encoder: Encoder

    def __init__(self, take: Encoded, source: Source, begin: Entry) -> None:
        self.command = live_command(source, begin, key_after_s=take.last_s)
        self.is_hopeless = False
        """Whether another encoder would not do better."""
        self._take = take
        self._entry = begin
        self._made: asyncio.Queue[Init | Piece | None] = asyncio.Queue(WAITING_PARTS)
        self._refused: IngestRefused | None = None
        self._has_output = False
        self._coming_s = 0.0

    async def to_its_end(self) -> bool:
        """Whether all that the take has went in and came out."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write())
                tasks.create_task(self._read())
                feeding = tasks.create_task(self._feed())
        finally:
            self.encoder.kill()
        if self._refused is not None:
            raise self._refused
        gave_itself_up = not self.encoder.was_killed and not self._has_output
        self.is_hopeless = self.is_hopeless or gave_itself_up
        is_whole = feeding.result() and not self.encoder.was_killed
        if is_whole and self._has_output:
            await self._take.keep(None)
        return is_whole

    def _doubt(self, waited_s: float) -> None:
        """Give up when bytes came, after `waited_s`, for too long without a picture."""
        self._coming_s += min(waited_s, COMING_S)
        if self._coming_s > FIRST_SEGMENT_S and not self._take.segments:
            self.is_hopeless = True
            self.encoder.kill()

    async def _feed(self) -> bool:
        """Everything from the file, then the end; whether ffmpeg took it all."""
        at, has_all = self._entry.at, False
        try:
            if head := self._entry.head:
                await self.encoder.feed((await self._take.read(0, self.encoder))[:head])
            while not self.encoder.has_exited and not has_all:
                waits_since = monotonic()
                block = await self._take.read(at, self.encoder)
                has_all = not block and self._take.is_closed
                await self.encoder.feed(block)
                at += len(block)
                self._doubt(monotonic() - waits_since)
        except EncoderGone:
            has_all = False
        await self.encoder.finish()
        return has_all

    async def _read(self) -> None:
        try:
            async for item in self.encoder.output(Grouping(self._take.last_s)):
                self._has_output = True
                if not isinstance(item, Init):
                    self._take.show(item)
                elif item.main.pixels > MAX_PIXELS:
                    self._refuse(PictureTooBig())
                    break
                else:
                    self._take.begin(item)
                await self._made.put(item)
        except BadBoxes:
            log.exception("the live encoder's output makes no sense")
            self.encoder.kill()
        await self._made.put(None)
        await self.encoder.wait(FINISH_S)
        self._take.wake()  # the feeder may be waiting for bytes that nobody needs now

    async def _write(self) -> None:
        while (item := await self._made.get()) is not None:
            if self._refused is not None:
                continue
            try:
                await self._take.keep(item)
            except InitChanged:
                self._refuse(TakeIsOver())
            except DiskFull as full:
                self._refuse(full)

    def _refuse(self, why: IngestRefused) -> None:
        self._refused = why
        self.encoder.kill()
