"""HLS of the live renditions beside the source, in the folder `live` of the show's recording.

`live/master.m3u8` lists what there is: `../live.m3u8` (the source), `low.m3u8`, `audio.m3u8`. All
of it is for the time of the show and removed with it; segments that nobody asks for any more go
before that.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from media_pipeline.ingest.boxes import Init
from media_pipeline.ingest.files import in_files
from media_pipeline.live.parts import Part
from media_pipeline.playlists import Segment, TakeSegments, Timeline

log = logging.getLogger(__name__)

FOLDER = "live"
MASTER = "master.m3u8"
STILL = "poster.jpg"
SOURCE_LIST = "../live.m3u8"
CUT_AFTER_S = 0.9
KEPT_SEGMENTS = 60
"""Six times what the playlist lists: a phone that lost its network may still ask."""
WAITING_AT_MOST = 200
"""What may wait for a slow disk; parts that come then are left out."""


class Files:
    """Writes one show's files one after the other, in a thread. To be used in the event loop."""

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[Callable[[], None] | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._write_forever())

    def put(self, job: Callable[[], None]) -> None:
        self._jobs.put_nowait(job)

    def put_if_in_time(self, job: Callable[[], None]) -> None:
        """For what comes often: it is left out while the disk is far behind."""
        if self._jobs.qsize() < WAITING_AT_MOST:
            self._jobs.put_nowait(job)

    async def done(self) -> None:
        """All that was put is written; nothing may be put any more."""
        self._jobs.put_nowait(None)
        await self._task

    async def _write_forever(self) -> None:
        while (job := await self._jobs.get()) is not None:
            try:
                await in_files(job)
            except OSError as error:  # the picture by socket does not need them
                log.warning("a live rendition's file could not be written: %s", error)


class Shelf:
    """The segments and the playlist of one rendition, over all takes. Calls block."""

    def __init__(self, folder: Path, name: str) -> None:
        """`folder` is the show's folder `live`."""
        self.is_listed = False
        """Whether there is a playlist that can be played."""
        self._folder = folder
        self._name = name
        self._timeline = Timeline()
        self._run = TakeSegments("", datetime.fromtimestamp(0, UTC), ())
        self._zero = self._began_at = self._run.started_at
        self._head = b""
        self._waiting: list[Part] = []
        self._old: deque[Path] = deque()

    def begin(self, init: Init, zero_ms: float) -> None:
        """Another encoder's head; `zero_ms` is the wall time of its take's second 0."""
        self._waiting.clear()
        self._zero = datetime.fromtimestamp(zero_ms / 1000, UTC)
        self._run = TakeSegments(f"{self._name}/{uuid.uuid4().hex[:12]}", self._zero, ())
        self._head = init.data

    def add(self, part: Part, drift_ms: float = 0.0) -> None:
        """The next part, the first of which begins with a key frame."""
        first = self._waiting[0] if self._waiting else part
        if part.is_key and part.start_s - first.start_s >= CUT_AFTER_S:
            self._cut(first.start_s, part.start_s, timedelta(milliseconds=drift_ms))
        self._waiting.append(part)

    def take_down(self) -> None:
        """There is no such rendition at the moment: players go over to another one."""
        self.is_listed = False
        self._waiting.clear()
        (self._folder / f"{self._name}.m3u8").unlink(missing_ok=True)

    def _cut(self, start_s: float, end_s: float, drift: timedelta) -> None:
        data = b"".join(part.data for part in self._waiting)
        self._waiting.clear()  # whatever happens: a full disk must not make memory full
        segment = Segment(f"{len(self._run.segments):05d}.m4s", end_s - start_s)
        path = self._folder / self._run.folder / segment.name
        if not self._run.segments:  # also again, should the disk have been full
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path.with_name("init.mp4"), self._head)
        replace(path, data)
        if not self._run.segments:
            self._began_at = self._zero + timedelta(seconds=start_s)
        segments = (*self._run.segments, segment)
        # Only the newest segments are listed: all of them have the drift of now.
        at = self._began_at + drift
        self._run = dataclasses.replace(self._run, started_at=at, segments=segments)
        self._timeline.grow(self._run)
        replace(self._folder / f"{self._name}.m3u8", self._timeline.live().encode())
        self.is_listed = True
        self._old.append(path)
        if len(self._old) > KEPT_SEGMENTS:
            self._old.popleft().unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Variant:
    """One line of the master playlist. `bits` a second at most; `size` empty for sound alone."""

    uri: str
    bits: int
    codecs: str
    size: str = ""


def master_playlist(variants: Sequence[Variant]) -> str:
    """The first is what players begin with."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7"]
    for one in variants:
        about = f'BANDWIDTH={one.bits},CODECS="{one.codecs}"'
        about += f",RESOLUTION={one.size}" if one.size else ""
        lines += [f"#EXT-X-STREAM-INF:{about}", one.uri]
    return "".join(f"{line}\n" for line in lines)


def replace(path: Path, data: bytes) -> None:
    """The file with these bytes; a reader sees the old one or the new one."""
    new = path.with_name(f".new-{path.name}")
    try:
        new.write_bytes(data)
        os.replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise
