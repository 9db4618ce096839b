"""Fragmented MP4, box by box (ISO/IEC 14496-12), as it comes out of the live encoder's pipe.

`ftyp` and `moov` are the take's head; every `moof` with its `mdat` is a fragment, whose times and
key frames are read from its own tables. What codecs a browser is asked for stands in the head
(`avcC`, `esds`; RFC 6381).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HEAD_BOXES = frozenset({b"ftyp", b"moov"})
BIGGEST_BOX = 64 * 1024 * 1024
NOT_SYNC = 0x10000
ENTRY_SKIPS = {b"avc1": 78, b"mp4a": 28}  # bytes of a sample entry before its own boxes

# Flags of `tfhd` and `trun`: which fields are there.
TFHD_BASE, TFHD_DESCRIPTION, TFHD_DURATION, TFHD_SIZE, TFHD_FLAGS = 1, 2, 8, 0x10, 0x20
TRUN_OFFSET, TRUN_FIRST_FLAGS, TRUN_DURATION, TRUN_SIZE, TRUN_FLAGS = 1, 4, 0x100, 0x200, 0x400
TRUN_COMPOSITION = 0x800


class BadBoxes(Exception):
    """These bytes are no fragmented MP4 of the live encoder."""


@dataclass(frozen=True, slots=True)
class Track:
    """`default_duration` and `default_flags` hold for samples that say nothing (`trex`)."""

    number: int
    timescale: int
    is_video: bool
    codec: str
    default_duration: int
    default_flags: int
    pixels: int = 0
    """Of one picture."""


@dataclass(frozen=True, slots=True)
class Init:
    """The head of a stream: what a player is given before any fragment."""

    data: bytes
    tracks: tuple[Track, ...]

    @property
    def main(self) -> Track:
        """The track that times are read from: the picture, or the sound where there is none."""
        return next((track for track in self.tracks if track.is_video), self.tracks[0])

    @property
    def mime(self) -> str:
        """What `MediaSource.isTypeSupported` is asked."""
        kind = "video" if self.main.is_video else "audio"
        return f'{kind}/mp4; codecs="{", ".join(track.codec for track in self.tracks)}"'


@dataclass(frozen=True, slots=True)
class Run:
    """The samples of the main track in one fragment.

    `duration_at` is where in the fragment the duration of its one sample is written, in ticks of
    `timescale`; `None` where there are more samples than one.
    """

    start_s: float
    duration_s: float
    is_key: bool
    duration_at: int | None = None
    timescale: int = 1

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s


@dataclass(frozen=True, slots=True)
class Fragment:
    """One `moof` and its `mdat`; `run` is `None` where it has nothing of the main track."""

    data: bytes
    run: Run | None


class Splitter:
    """Takes the stream in pieces of any size."""

    def __init__(self) -> None:
        self.init: Init | None = None
        self._waiting = bytearray()
        self._head = bytearray()
        self._moof = b""

    def feed(self, piece: bytes) -> Iterator[Init | Fragment]:
        """What has become whole by this piece; raises `BadBoxes`."""
        self._waiting += piece
        while (box := self._next_box()) is not None:
            kind = box[4:8]
            if kind in HEAD_BOXES:
                self._head += box
                if kind == b"moov":
                    self.init = read_init(bytes(self._head))
                    yield self.init
            elif kind == b"moof":
                self._moof = box
            elif kind == b"mdat" and self._moof:
                if self.init is None:
                    raise BadBoxes
                yield Fragment(self._moof + box, read_run(self._moof, self.init.main))
                self._moof = b""

    def _next_box(self) -> bytes | None:
        if len(self._waiting) < 8:
            return None
        size = int.from_bytes(self._waiting[:4], "big")
        if not 8 <= size <= BIGGEST_BOX:
            raise BadBoxes
        if len(self._waiting) < size:
            return None
        box = bytes(self._waiting[:size])
        del self._waiting[:size]
        return box


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each whole box from `start`; stops at what is no box."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size = int.from_bytes(data[start : start + 4], "big")
        if size < 8 or start + size > end:
            return
        yield data[start + 4 : start + 8], data[start + 8 : start + size]
        start += size


def child(data: bytes, *path: bytes) -> bytes:
    """The content of the first box at this path; raises `BadBoxes`."""
    for wanted in path:
        found = next((content for kind, content in boxes(data) if kind == wanted), None)
        if found is None:
            raise BadBoxes(wanted)
        data = found
    return data


def read_init(data: bytes) -> Init:
    """The head of a stream; raises `BadBoxes`."""
    moov = child(data, b"moov")
    defaults = {
        _int(trex, 4): (_int(trex, 12), _int(trex, 20))
        for kind, trex in boxes(child(moov, b"mvex"))
        if kind == b"trex"
    }
    tracks = [_track(content, defaults) for kind, content in boxes(moov) if kind == b"trak"]
    if not tracks:
        raise BadBoxes(b"trak")
    return Init(data, tuple(tracks))


def _track(trak: bytes, defaults: dict[int, tuple[int, int]]) -> Track:
    tkhd, mdhd = child(trak, b"tkhd"), child(trak, b"mdia", b"mdhd")
    number = _int(tkhd, 20 if tkhd[0] else 12)
    duration, flags = defaults.get(number, (0, 0))
    return Track(
        number=number,
        timescale=_int(mdhd, 20 if mdhd[0] else 12) or 1,
        is_video=child(trak, b"mdia", b"hdlr")[8:12] == b"vide",
        codec=_codec(child(trak, b"mdia", b"minf", b"stbl", b"stsd")[8:]),
        pixels=(_int(tkhd, len(tkhd) - 8) >> 16) * (_int(tkhd, len(tkhd) - 4) >> 16),
        default_duration=duration,
        default_flags=flags,
    )


def _codec(entries: bytes) -> str:
    """RFC 6381's name of the first sample entry's codec."""
    kind, entry = next(boxes(entries), (b"", b""))
    if kind == b"avc1":
        return f"avc1.{child(entry[ENTRY_SKIPS[kind] :], b'avcC')[1:4].hex().upper()}"
    if kind == b"mp4a":
        return "mp4a.40.2"  # AAC-LC, which is all that our encoder makes
    return kind.decode("ascii", errors="replace")


def read_run(moof: bytes, track: Track) -> Run | None:
    """The track's samples in a `moof` (a whole box), if any. Times are seconds of the stream."""
    for kind, traf in boxes(moof, 8):
        if kind == b"traf" and _int(child(traf, b"tfhd"), 4) == track.number:
            return _run(traf, track, moof)
    return None


def _run(traf: bytes, track: Track, moof: bytes) -> Run | None:
    tfdt = child(traf, b"tfdt")
    start = int.from_bytes(tfdt[4:12] if tfdt[0] else tfdt[4:8], "big", signed=bool(tfdt[0]))
    duration, flags = _defaults(child(traf, b"tfhd"), track)
    truns = [content for kind, content in boxes(traf) if kind == b"trun"]
    if not truns:
        return None
    samples = [_samples(trun, duration, flags) for trun in truns]
    is_key = not track.is_video or not samples[0][1] & NOT_SYNC
    total = sum(ticks for ticks, _flags in samples)
    at = _duration_at(moof, child(traf, b"tfhd"), truns)
    scale = track.timescale
    return Run(start / scale, total / scale, is_key, at, scale)


def _duration_at(moof: bytes, tfhd: bytes, truns: list[bytes]) -> int | None:
    """Where the one sample's duration stands, if there is one sample and it has one."""
    [trun, *more] = truns
    if more or _int(trun, 4) != 1:
        return None
    given = _int(trun, 0)
    if given & TRUN_DURATION:
        skipped = 8 + 4 * (given & (TRUN_OFFSET | TRUN_FIRST_FLAGS)).bit_count()
        return moof.index(trun) + skipped
    given = _int(tfhd, 0)
    if given & TFHD_DURATION:
        skipped = 8 + 8 * bool(given & TFHD_BASE) + 4 * bool(given & TFHD_DESCRIPTION)
        return moof.index(tfhd) + skipped
    return None


def _defaults(tfhd: bytes, track: Track) -> tuple[int, int]:
    """Duration and flags of samples that say nothing themselves."""
    given, at = _int(tfhd, 0) & 0xFFFFFF, 8
    at += 8 * bool(given & TFHD_BASE) + 4 * bool(given & TFHD_DESCRIPTION)
    duration, flags = track.default_duration, track.default_flags
    if given & TFHD_DURATION:
        duration, at = _int(tfhd, at), at + 4
    at += 4 * bool(given & TFHD_SIZE)
    if given & TFHD_FLAGS:
        flags = _int(tfhd, at)
    return duration, flags


def _samples(trun: bytes, duration: int, flags: int) -> tuple[int, int]:
    """How long the samples last, in ticks, and the flags of the first."""
    given, count = _int(trun, 0) & 0xFFFFFF, _int(trun, 4)
    at = 8 + 4 * bool(given & TRUN_OFFSET)
    first_flags = flags
    if given & TRUN_FIRST_FLAGS:
        first_flags, at = _int(trun, at), at + 4
    width = 4 * (given & (TRUN_DURATION | TRUN_SIZE | TRUN_FLAGS | TRUN_COMPOSITION)).bit_count()
    if given & TRUN_FLAGS:
        before_flags = 4 * (given & (TRUN_DURATION | TRUN_SIZE)).bit_count()
        first_flags = _int(trun, at + before_flags)
    if not given & TRUN_DURATION:
        return duration * count, first_flags
    return sum(_int(trun, at + width * number) for number in range(count)), first_flags


def _int(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise BadBoxes
    return int.from_bytes(data[at : at + 4], "big")
