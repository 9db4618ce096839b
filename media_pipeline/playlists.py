"""HLS playlists (RFC 8216): reading the one ffmpeg writes for a take, composing those of a show.

A show's playlists join its takes on one timeline. They hold addresses relative to the recording's
folder, so that a signed address of the playlist covers its segments too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from core.clock import iso_ms

LIVE_WINDOW = 10
"""Segments in the live playlist: long enough for a slow phone, short enough to be read at once."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One media segment of a take: its file name and how many seconds it plays."""

    name: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class TakeSegments:
    """What a take has on disk, in the folder `folder` of its recording."""

    folder: str
    started_at: datetime
    segments: tuple[Segment, ...]

    @property
    def duration_s(self) -> float:
        return sum(segment.duration_s for segment in self.segments)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A segment with what its lines in a show's playlist depend on."""

    segment: Segment
    take: TakeSegments
    take_number: int
    offset_s: float

    @property
    def at(self) -> datetime:
        return self.take.started_at + timedelta(seconds=self.offset_s)


def parse_segments(text: str) -> tuple[Segment, ...]:
    """The segments that a media playlist lists; a line cut off in the middle is left out."""
    segments: list[Segment] = []
    duration_s: float | None = None
    for line in text.splitlines():
        if line.startswith("#EXTINF:"):
            duration_s = _extinf(line)
        elif line and not line.startswith("#") and duration_s is not None:
            segments.append(Segment(line, duration_s))
            duration_s = None
    return tuple(segments)


def _extinf(line: str) -> float | None:
    try:
        return float(line.removeprefix("#EXTINF:").partition(",")[0])
    except ValueError:
        return None


def live_playlist(
    takes: Sequence[TakeSegments], *, ended: bool = False, window: int = LIVE_WINDOW
) -> str:
    """The sliding window of the newest segments over all takes."""
    placed = list(_placed(takes))
    first = max(0, len(placed) - window)
    shown = placed[first:]
    head = [
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
        # The number of the first segment's take is the count of discontinuities before it; no
        # discontinuity is then written in front of the first segment itself.
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{shown[0].take_number if shown else 0}",
    ]
    return _written(head, shown, target_s=_target_s(placed), ended=ended)


def replay_playlist(takes: Sequence[TakeSegments], *, ended: bool) -> str:
    """Everything from the beginning; it only grows, until `ended` closes it."""
    placed = list(_placed(takes))
    head = ["#EXT-X-MEDIA-SEQUENCE:0", f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}"]
    return _written(head, placed, target_s=_target_s(placed), ended=ended)


def _placed(takes: Sequence[TakeSegments]) -> Iterator[_Placed]:
    for number, take in enumerate(take for take in takes if take.segments):
        offsets_s = accumulate((segment.duration_s for segment in take.segments), initial=0.0)
        for segment, offset_s in zip(take.segments, offsets_s, strict=False):
            yield _Placed(segment, take, number, offset_s)


def _target_s(placed: Sequence[_Placed]) -> int:
    """No segment may round to more than the target duration (RFC 8216, 4.3.3.1).

    It is taken over all segments and not only those shown, since it must not fall again.
    """
    return max((math.floor(one.segment.duration_s + 0.5) for one in placed), default=1) or 1


def _written(head: Sequence[str], shown: Sequence[_Placed], *, target_s: int, ended: bool) -> str:
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target_s}", *head]
    lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    take_number: int | None = None
    for one in shown:
        if one.take_number != take_number:
            if take_number is not None:
                lines.append("#EXT-X-DISCONTINUITY")
            lines.append(f'#EXT-X-MAP:URI="{one.take.folder}/init.mp4"')
            take_number = one.take_number
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{iso_ms(one.at)}")
        lines.append(f"#EXTINF:{one.segment.duration_s:.6f},")
        lines.append(f"{one.take.folder}/{one.segment.name}")
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
