"""Where in a recorder's stream an encoder can begin: at the start, or at a later key frame.

A take that goes on after its encoder or its server was killed is not read from its beginning
again. A stream's header followed by any later Matroska cluster or MP4 fragment is a stream too,
whose times go on; where the wanted one lies is found by halving, in a few reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from media_pipeline.ingest.boxes import BadBoxes, Init, read_init, read_run
from media_pipeline.ingest.source import CLUSTER, Source

WINDOW = 256 * 1024
LOOK_BACK_S = 30.0
"""Key frames rarer than that are not looked for: the take is read from its beginning then."""
HEAD_BYTES = 1024 * 1024
FRAME_S = 0.02

# A cluster with its size (often unknown) and its timestamp; a fragment with its first box.
CLUSTER_START = re.compile(
    rb"\x1f\x43\xb6\x75(?:[\x80-\xff]|[\x40-\x7f].|[\x20-\x3f]..|[\x10-\x1f].{3}|\x01.{7})"
    rb"(?:\xbf\x84.{4})?\xe7[\x81-\x88]",  # a checksum may stand before the timestamp
    re.DOTALL,
)
MOOF_START = re.compile(rb".{4}moof\x00\x00\x00\x10mfhd", re.DOTALL)

SEGMENT_ID, CLUSTER_ID, TRACKS_ID, ENTRY_ID, INFO_ID = (
    0x18538067,
    0x1F43B675,
    0x1654AE6B,
    0xAE,
    0x1549A966,
)
MASTERS = frozenset({SEGMENT_ID, CLUSTER_ID, TRACKS_ID, ENTRY_ID, INFO_ID})
SCALE_ID, TIME_ID, NUMBER_ID, TYPE_ID, SIMPLE_BLOCK_ID = 0x2AD7B1, 0xE7, 0xD7, 0x83, 0xA3


class Bytes(Protocol):
    """A stream on disk, as `ChunkFile` is one."""

    size: int

    def read(self, at: int, limit: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """Feed the first `head` bytes, then everything from byte `at`.

    `zero_s` is the time of the stream at which its media begins, `from_s` how long after that the
    bytes at `at` do, and `key_s` the first key frame in them.
    """

    head: int = 0
    at: int = 0
    zero_s: float = 0.0
    from_s: float = 0.0
    key_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Place:
    """A cluster or fragment: where it is, its time, and the time of its first key frame if any."""

    at: int
    time_s: float
    key_s: float | None


def entry_before(stream: Bytes, source: Source, time_s: float | None) -> Entry:
    """Where to begin so that a key frame at `time_s` is encoded again; blocks on the disk."""
    index = _Matroska.of(stream) if source.container == "matroska" else _Mp4.of(stream)
    if index is None:
        return Entry()
    if time_s is None:
        return Entry(zero_s=index.zero_s)
    place = index.place_before(index.zero_s + time_s + FRAME_S)
    if place is None:
        return Entry(zero_s=index.zero_s)
    key_s = place.time_s if place.key_s is None else place.key_s
    zero_s = index.zero_s
    return Entry(index.head, place.at, zero_s, place.time_s - zero_s, key_s - zero_s)


class _Index:
    """The places of a stream at which reading may begin."""

    def __init__(
        self, stream: Bytes, head: int, start: re.Pattern[bytes], place: Callable[[int], _Place]
    ) -> None:
        self.head = head
        self._stream = stream
        self._start = start
        self._place = place
        self.zero_s = place(head).time_s

    def place_before(self, time_s: float) -> _Place | None:
        """The last place whose key frame is not after `time_s`; `None` to begin at the start."""
        end = self._halved(time_s)
        at = end
        while at > self.head:
            at = max(self.head, at - WINDOW)
            found = [place for place in self._places(at, end) if place.time_s <= time_s]
            keys = [one for one in found if one.key_s is not None and one.key_s <= time_s]
            if keys:
                return keys[-1]
            if found and found[0].time_s < time_s - LOOK_BACK_S:
                return None
            end = at + len(CLUSTER) * 8
        return None

    def _halved(self, time_s: float) -> int:
        """A byte after the wanted place, and not far after it."""
        low, high = self.head, self._stream.size
        while high - low > WINDOW:
            middle = (low + high) // 2
            first = next(self._places(middle, high), None)
            if first is None or first.time_s > time_s:
                high = middle
            else:
                low = max(first.at, low + 1)
        return min(self._stream.size, high + WINDOW)

    def _places(self, start: int, end: int) -> Iterator[_Place]:
        at = start
        while at < end:
            window = self._stream.read(at, WINDOW)
            for match in self._start.finditer(window):
                if at + match.start() < end:
                    yield self._place(at + match.start())
            if len(window) < WINDOW:
                return
            at += WINDOW - 64  # a start may lie across two windows


class _Matroska:
    """Reads clusters of one stream."""

    def __init__(self, stream: Bytes, header: bytes) -> None:
        self._stream = stream
        self._scale_s, self._video = 1e-3, 0
        number = 0
        for kind, content in _elements(header):
            if kind == SCALE_ID:
                self._scale_s = int.from_bytes(content, "big") * 1e-9
            elif kind == NUMBER_ID:
                number = int.from_bytes(content, "big")
            elif kind == TYPE_ID and content == b"\x01":
                self._video = self._video or number

    @classmethod
    def of(cls, stream: Bytes) -> _Index | None:
        head = stream.read(0, HEAD_BYTES)
        match = CLUSTER_START.search(head)
        if match is None or len(head) < match.end() + 8:
            return None
        reader = cls(stream, head[: match.start()])
        return _Index(stream, match.start(), CLUSTER_START, reader.place)

    def place(self, at: int) -> _Place:
        ticks, key_s = 0, None
        for number, (kind, content) in enumerate(_elements(self._stream.read(at, WINDOW))):
            if kind == CLUSTER_ID and number:
                break
            if kind == TIME_ID:
                ticks = int.from_bytes(content, "big")
            elif kind == SIMPLE_BLOCK_ID and self._is_key(content):
                key_s = (ticks + int.from_bytes(content[1:3], "big", signed=True)) * self._scale_s
                break
        return _Place(at, ticks * self._scale_s, key_s)

    def _is_key(self, block: bytes) -> bool:
        """Without a picture every block is one."""
        return ((block[0] & 0x7F) == self._video and bool(block[3] & 0x80)) or not self._video


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """EBML elements in their order, a master's own before those in it; masters have no content.

    The last may be cut off where `data` is.
    """
    at = 0
    while at + 12 <= len(data):
        kind, at = _number(data, at, keep_mark=True)
        size, at = _number(data, at)
        if kind in MASTERS:
            yield kind, b""
        else:
            yield kind, data[at : at + size]
            at += size


def _number(data: bytes, at: int, *, keep_mark: bool = False) -> tuple[int, int]:
    """A number of EBML's variable length, and where it ends."""
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    return value if keep_mark else value & ((1 << 7 * length) - 1), at + length


class _Mp4:
    """Reads fragments of one stream."""

    def __init__(self, stream: Bytes, init: Init) -> None:
        self._stream = stream
        self._init = init

    @classmethod
    def of(cls, stream: Bytes) -> _Index | None:
        head = stream.read(0, HEAD_BYTES)
        match = MOOF_START.search(head)
        if match is None:
            return None
        try:
            init = read_init(head[: match.start()])
            return _Index(stream, match.start(), MOOF_START, cls(stream, init).place)
        except BadBoxes:
            return None

    def place(self, at: int) -> _Place:
        size = int.from_bytes(self._stream.read(at, 4), "big")
        moof = self._stream.read(at, min(size, HEAD_BYTES))
        try:
            runs = [run for one in self._init.tracks if (run := read_run(moof, one))]
            main = read_run(moof, self._init.main)
        except BadBoxes:
            return _Place(at, 0.0, None)
        if not runs:
            return _Place(at, 0.0, None)
        key_s = main.start_s if main and main.is_key else None
        return _Place(at, min(run.start_s for run in runs), key_s)
