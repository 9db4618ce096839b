"""What is made beside the picture of every show whose camera is in this process.

Sound alone and still pictures always; a 360p while the machine has the room (`low_judge`). They
are made from the parts that viewers of the source are given, by niced programs, so that neither
the recording nor the source waits for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from uuid import UUID

from media_pipeline.ingest.boxes import Init, boxes, child, read_init
from media_pipeline.live import low_shelf
from media_pipeline.live.feed import Feed, Feeds
from media_pipeline.live.frames import Opening
from media_pipeline.live.low_judge import LOOK_EVERY_S, Gauge, Judge, Limits, Load, Machine, Verdict
from media_pipeline.live.low_recipe import (
    AUDIO_BITS,
    LOW_BITS,
    SHORT_SIDE,
    audio_command,
    low_command,
)
from media_pipeline.live.low_rendition import LowRendition
from media_pipeline.live.low_shelf import Files, Shelf, Variant, master_playlist
from media_pipeline.live.low_stills import EVERY_S, Stills
from media_pipeline.live.parts import Part
from media_pipeline.storage import storage

log = logging.getLogger(__name__)

LOW, AUDIO = "low", "audio"
RATE_OVER_S = 5.0
RATE_KNOWN_S = 3.0
HEADROOM = 1.3
"""A second of moving leaves takes more than the average that is measured."""
ADDRESS_FOR_S = 3600.0
FORGOTTEN_AFTER_S = 3600.0
EARLY_AT_MOST = 300
"""Parts that may come before it is known where the files go; some 30 s."""


class State(StrEnum):
    """What the studio is told of the second picture."""

    OFF = "off"
    """No camera."""
    SOURCE = "source"
    """A setting says source only."""
    SOUND = "sound"
    """The camera sends no picture."""
    NOT_NEEDED = "not_needed"
    """The source itself is as small."""
    MEASURING = "measuring"
    NO_ROOM = "no_room"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Shop:
    """What all shows share. `key_of` names a show's recording's folder in the storage; `tell`
    does not wait."""

    feeds: Feeds
    tell: Callable[[UUID, State], None]
    key_of: Callable[[UUID], Awaitable[str]]
    mode: str = "auto"
    """`auto`, or `source` for no 360p at all."""
    limits: Limits = field(default_factory=Limits)
    gauge: Gauge = field(default_factory=Machine)


class Renditions:
    """`feed.Follower` for all shows of this process."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._shows: dict[UUID, ShowRenditions] = {}
        self._looking: asyncio.Task[None] | None = None

    def began(self, feed: Feed, opening: Opening) -> None:
        show = self._shows.get(feed.show_id)
        if show is None:
            show = self._shows[feed.show_id] = ShowRenditions(feed.show_id, self._shop)
        show.began(opening)
        if self._looking is None:
            self._shop.gauge.start()
            self._looking = asyncio.create_task(self._look_forever(), name="low-renditions")

    def passed(self, feed: Feed, part: Part) -> None:
        if (show := self._shows.get(feed.show_id)) is not None:
            show.passed(part)

    def ended(self, feed: Feed) -> None:
        if (show := self._shows.get(feed.show_id)) is not None:
            show.ended()

    def of(self, show_id: UUID) -> ShowRenditions | None:
        return self._shows.get(show_id)

    async def stop(self) -> None:
        """No program of any show is left when this returns."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
            self._looking = None
        await self._shop.gauge.stop()
        shows = list(self._shows.values())
        self._shows.clear()
        await asyncio.gather(*(show.close() for show in shows))

    async def _look_forever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            at_s, load = time.monotonic(), self._shop.gauge.load()
            for show_id, show in list(self._shows.items()):
                show.look(load, at_s)
                if show.is_forgotten(at_s):
                    del self._shows[show_id]
                    await show.close()


class ShowRenditions:
    """Of one show, over its takes."""

    def __init__(self, show_id: UUID, shop: Shop) -> None:
        self.judge = Judge(shop.limits)
        self.state = State.OFF
        self.take: TakeRenditions | None = None
        self._show_id = show_id
        self._shop = shop
        self._books: Books | None = None
        self._tasks: set[asyncio.Future[None]] = set()
        self._opening = asyncio.Lock()
        self._wanted: Opening | None = None
        self._early: list[Part] = []
        self._idle_since = time.monotonic()

    def began(self, opening: Opening) -> None:
        self.ended()
        self._wanted = opening
        self._later(self._begin(opening))

    def passed(self, part: Part) -> None:
        if self.take is not None:
            self.take.passed(part)
        elif len(self._early) < EARLY_AT_MOST:
            self._early.append(part)

    def ended(self) -> None:
        """The take is over: what it had running is killed."""
        take, self.take, self._wanted = self.take, None, None
        self._early.clear()
        self._idle_since = time.monotonic()
        self.judge.stopped()
        if take is not None:
            self._shop.feeds.set_poster(self._show_id, None)
            self._later(take.stop())
        self._say(State.OFF)

    def look(self, load: Load, at_s: float) -> None:
        """Judge again; several times a second."""
        if self.take is None:
            return
        self._say(self._judged(self.take, load, at_s))
        self.take.write_master()

    def is_forgotten(self, at_s: float) -> bool:
        return self._wanted is None and at_s - self._idle_since > FORGOTTEN_AFTER_S

    async def close(self) -> None:
        self.ended()
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._books is not None:
            await self._books.files.done()

    async def _begin(self, opening: Opening) -> None:
        async with self._opening:
            if self._books is None:
                self._books = await Books.opened(await self._shop.key_of(self._show_id))
            if self._wanted is opening:
                self.take = TakeRenditions(self._show_id, self._shop.feeds, self._books, opening)
                for part in self._early:
                    self.take.passed(part)
                self._early.clear()

    def _judged(self, take: TakeRenditions, load: Load, at_s: float) -> State:
        if take.low is not None:
            return self._watched(take, take.low, load, at_s)
        if not take.source.has_picture:
            return State.SOUND
        if self._shop.mode == "source":
            return State.SOURCE
        if take.source.is_small:
            return State.NOT_NEEDED
        if take.source.is_known and self.judge.may_begin(load, at_s):
            take.begin_low()
            self.judge.begun(at_s)
        return State.NO_ROOM if self.judge.has_refused else State.MEASURING

    def _watched(self, take: TakeRenditions, low: LowRendition, load: Load, at_s: float) -> State:
        if not self.judge.keeps_up(low.lag_s, load, at_s):
            self._later(take.stop_low())
            return State.NO_ROOM
        if self.judge.verdict is Verdict.GOOD:
            low.show()
            return State.LOW
        return State.NO_ROOM if self.judge.has_refused else State.MEASURING

    def _say(self, state: State) -> None:
        if state is not self.state:
            self.state = state
            self._shop.tell(self._show_id, state)

    def _later(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._settled)

    def _settled(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if (error := task.exception()) is not None:
            log.error("no renditions of %s", self._show_id, exc_info=error)


class Books:
    """A show's files, over all its takes in this process."""

    def __init__(self, key: str) -> None:
        self.key = f"{key}/{low_shelf.FOLDER}"
        self.folder = storage().path(self.key)
        self.files = Files()
        self.shelves = {name: Shelf(self.folder, name) for name in (LOW, AUDIO)}
        self._master = ""
        self._address = ("", float("-inf"))

    @classmethod
    async def opened(cls, key: str) -> Books:
        """Begin with an empty folder: what another process has left there is over."""
        books = cls(key)
        books.files.put(books._empty)
        return books

    @property
    def still_url(self) -> str:
        """Signed anew now and then, since a show may last longer than a signature."""
        url, at_s = self._address
        if time.monotonic() - at_s > ADDRESS_FOR_S:
            url = storage().url(f"{self.key}/{low_shelf.STILL}")
            self._address = url, time.monotonic()
        return url

    def write_still(self, picture: bytes) -> None:
        path = self.folder / low_shelf.STILL
        self.files.put_if_in_time(partial(low_shelf.replace, path, picture))

    def write_master(self, variants: list[Variant]) -> None:
        text = master_playlist(variants)
        if text != self._master:
            self._master = text
            path = self.folder / low_shelf.MASTER
            self.files.put(partial(low_shelf.replace, path, text.encode()))

    def _empty(self) -> None:
        storage().delete_folder(self.key)
        self.folder.mkdir(parents=True)


class SourceMeter:
    """What is known of the source itself."""

    def __init__(self, init: Init) -> None:
        self.has_picture = init.main.is_video
        self.has_sound = any(not track.is_video for track in init.tracks)
        self.codecs = ",".join(track.codec for track in init.tracks)
        self.size = picture_size(init)
        self.bits = 0
        """A second, while that is known."""
        self._seen: deque[tuple[float, int]] = deque()

    @property
    def is_known(self) -> bool:
        return self.bits > 0

    @property
    def is_small(self) -> bool:
        return min(self.size) <= SHORT_SIDE or 0 < self.bits <= LOW_BITS

    def passed(self, part: Part) -> None:
        self._seen.append((part.start_s, len(part.data)))
        while part.start_s - self._seen[0][0] > RATE_OVER_S:
            self._seen.popleft()
        over_s = part.start_s - self._seen[0][0]
        if over_s >= RATE_KNOWN_S:
            self.bits = round(8 * sum(size for _at, size in list(self._seen)[:-1]) / over_s)


class TakeRenditions:
    """What runs beside one take."""

    def __init__(self, show_id: UUID, feeds: Feeds, books: Books, opening: Opening) -> None:
        head = read_init(opening.init)
        self.source = SourceMeter(head)
        self.low: LowRendition | None = None
        self.audio: LowRendition | None = None
        self.stills: Stills | None = None
        self._show_id = show_id
        self._feeds = feeds
        self._books = books
        self._opening = opening
        self._source_bits = 0
        if self.source.has_sound:
            self.audio = self._rendition(AUDIO, audio_command(), is_shown=True)
        if self.source.has_picture:
            self.stills = Stills(opening.init, self._drawn)

    def passed(self, part: Part) -> None:
        self.source.passed(part)
        for one in (self.audio, self.low):
            if one is not None:
                one.push(part)
        if self.stills is not None:
            self.stills.passed(part)

    def begin_low(self) -> None:
        """On trial: nobody is shown it yet."""
        self.low = self._rendition(LOW, low_command(), is_shown=False)

    async def stop_low(self) -> None:
        low, self.low = self.low, None
        if low is not None:
            await low.stop()
            self._books.files.put(self._books.shelves[LOW].take_down)

    async def stop(self) -> None:
        """All of it; the playlists stay as they are, for the next take goes on there."""
        running = (self.audio, self.low, self.stills)
        self.audio = self.low = self.stills = None
        await asyncio.gather(*(one.stop() for one in running if one is not None))

    def write_master(self) -> None:
        """What can be had by HLS now; written when that changes."""
        if not self.source.is_known:
            return
        if not self._source_bits * 0.6 < self.source.bits < self._source_bits * 1.2:
            self._source_bits = self.source.bits
        wide, high = self.source.size
        size = f"{wide}x{high}" if self.source.has_picture else ""
        bits = round(self._source_bits * HEADROOM)
        variants = [Variant(low_shelf.SOURCE_LIST, bits, self.source.codecs, size)]
        for name, most in ((LOW, LOW_BITS), (AUDIO, AUDIO_BITS)):
            variants += self._variant(name, most)
        self._books.write_master(variants)

    def _variant(self, name: str, bits: int) -> list[Variant]:
        one = self.low if name == LOW else self.audio
        if one is None or one.made is None or not self._books.shelves[name].is_listed:
            return []
        size = "x".join(map(str, picture_size(one.made))) if one.made.main.is_video else ""
        codecs = ",".join(track.codec for track in one.made.tracks)
        return [Variant(f"{name}.m3u8", bits, codecs, size)]

    def _rendition(self, name: str, command: list[str], *, is_shown: bool) -> LowRendition:
        return LowRendition(
            self._feeds.feed(self._show_id, name),
            self._opening,
            command,
            self._books.shelves[name],
            self._books.files,
            is_shown=is_shown,
        )

    def _drawn(self, picture: bytes) -> None:
        self._books.write_still(picture)
        poster = self._feeds.poster(self._show_id)
        if poster is None or poster["url"] != self._books.still_url:
            self._feeds.set_poster(self._show_id, self._books.still_url, EVERY_S)


def picture_size(init: Init) -> tuple[int, int]:
    """Width and height as they are shown (`tkhd`, 16.16 fixed point); endless without a picture."""
    for kind, trak in boxes(child(init.data, b"moov")):
        if kind == b"trak" and child(trak, b"mdia", b"hdlr")[8:12] == b"vide":
            shown = child(trak, b"tkhd")[-8:]
            return int.from_bytes(shown[:2], "big"), int.from_bytes(shown[4:6], "big")
    return 0, 0
