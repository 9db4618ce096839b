"""HLS playlists (RFC 8216): the list of a take's segments, and the playlists of a show.

A show's playlists join its takes on one timeline. They hold addresses relative to the recording's
folder, so that a signed address of the playlist covers its segments too.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.clock import iso_ms
from media_pipeline.clock import STEADY, Drift, Filmed

LIVE_WINDOW = 10
"""Segments in the live playlist: long enough for a slow phone, short enough to be read at once."""
NO_KEY = "# does not start with a key frame"


@dataclass(frozen=True, slots=True)
class Segment:
    """One media segment of a take: its file name and how many seconds it plays."""

    name: str
    duration_s: float
    starts_with_key: bool = True


@dataclass(frozen=True, slots=True)
class TakeSegments:
    """What a take has on disk, in the folder `folder` of its recording."""

    folder: str
    started_at: datetime
    segments: tuple[Segment, ...]
    drift: Drift = STEADY

    @property
    def duration_s(self) -> float:
        return sum(segment.duration_s for segment in self.segments)

    def wall(self, media_s: float) -> datetime:
        """When this second of the take was filmed, as the media clock has it."""
        return Filmed(self.started_at, 0.0, self.drift).wall(media_s)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A segment with what its lines in a show's playlist depend on."""

    segment: Segment
    take: TakeSegments
    take_number: int
    offset_s: float

    @property
    def at(self) -> datetime:
        return self.take.wall(self.offset_s)


def listing(segment: Segment) -> str:
    """The lines of one segment in the list of its take."""
    note = "" if segment.starts_with_key else f"{NO_KEY}\n"
    return f"{note}#EXTINF:{segment.duration_s:.6f},\n{segment.name}\n"


def parse_segments(text: str) -> tuple[Segment, ...]:
    """The segments that a media playlist lists; a line cut off in the middle is left out."""
    segments: list[Segment] = []
    duration_s: float | None = None
    starts_with_key = True
    for line in text.splitlines(keepends=True):
        if line.startswith("#EXTINF:"):
            duration_s = _extinf(line)
        elif line.strip() == NO_KEY:
            starts_with_key = False
        elif duration_s is not None and line.endswith("\n") and not line.startswith(("#", "\n")):
            segments.append(Segment(line.rstrip(), duration_s, starts_with_key))
            duration_s, starts_with_key = None, True
    return tuple(segments)


def _extinf(line: str) -> float | None:
    try:
        return float(line.removeprefix("#EXTINF:").partition(",")[0])
    except ValueError:
        return None


class Timeline:
    """The takes of a running show as they grow: what is new costs, and not what was there before.

    A day's show has eighty thousand segments, and a playlist is written with each of them.
    """

    def __init__(self, takes: Iterable[TakeSegments] = (), *, window: int = LIVE_WINDOW) -> None:
        self.target_s = 1
        self.has_keys = True
        """Whether every segment starts with a key frame."""
        self._count = 0
        self._takes = 0
        self._offset_s = 0.0
        self._had = 0
        self._take: TakeSegments | None = None
        self._shown: deque[_Placed] = deque(maxlen=window)
        for take in takes:
            self.grow(take)

    def grow(self, take: TakeSegments) -> str:
        """The lines by which the replay's playlist grows: a new take, or what the last one has
        more than when it was here before."""
        before = self._take
        if before is None or before.folder != take.folder:
            if not take.segments:
                return ""
            self._had, self._offset_s, self._takes = 0, 0.0, self._takes + 1
        elif (before.started_at, before.drift) != (take.started_at, take.drift):
            for number, one in enumerate(self._shown):
                if one.take.folder == take.folder:
                    self._shown[number] = replace(one, take=take)
        is_first, self._take = self._count == 0, take
        is_new_take = self._had == 0
        new = [self._placed(take, segment) for segment in take.segments[self._had :]]
        self._had += len(new)
        lines = _lines(new, None if is_new_take else self._takes - 1)
        return "\n".join(["#EXT-X-DISCONTINUITY"] * (is_new_take and not is_first) + lines)

    def _placed(self, take: TakeSegments, segment: Segment) -> _Placed:
        placed = _Placed(segment, take, self._takes - 1, self._offset_s)
        self._offset_s += segment.duration_s
        self._count += 1
        self._shown.append(placed)
        self.target_s = max(self.target_s, _rounded_s(segment))
        self.has_keys = self.has_keys and segment.starts_with_key
        return placed

    def live(self, *, ended: bool = False) -> str:
        """The sliding window of the newest segments over all takes."""
        shown = list(self._shown)
        first_take = shown[0].take_number if shown else 0
        head = [
            f"#EXT-X-MEDIA-SEQUENCE:{self._count - len(shown)}",
            # The number of the first segment's take is the count of discontinuities before it; no
            # discontinuity is then written in front of the first segment itself.
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{first_take}",
        ]
        return _text([*self._head(), *head, *_lines(shown, None)], ended=ended)

    def replay_head(self, *, ended: bool) -> str:
        """What stands before the lines that `grow` gave."""
        kind = "VOD" if ended else "EVENT"
        lines = [*self._head(), "#EXT-X-MEDIA-SEQUENCE:0", f"#EXT-X-PLAYLIST-TYPE:{kind}"]
        return _text(lines, ended=False)

    def _head(self) -> list[str]:
        # The target is taken over all segments and not only those shown: it must not fall again.
        head = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{self.target_s}"]
        return [*head, "#EXT-X-INDEPENDENT-SEGMENTS"] if self.has_keys else head


def live_playlist(
    takes: Sequence[TakeSegments], *, ended: bool = False, window: int = LIVE_WINDOW
) -> str:
    """The sliding window of the newest segments over all takes."""
    return Timeline(takes, window=window).live(ended=ended)


def replay_playlist(takes: Sequence[TakeSegments], *, ended: bool) -> str:
    """Everything from the beginning; it only grows, until `ended` closes it."""
    return playlists(takes, ended=ended)[1]


def playlists(takes: Sequence[TakeSegments], *, ended: bool) -> tuple[str, str]:
    """The live and the replay's playlist, by going once through segments that may be many."""
    timeline = Timeline()
    lines = [grown for take in takes if (grown := timeline.grow(take))]
    replay = timeline.replay_head(ended=ended) + _text(lines, ended=ended)
    return timeline.live(ended=ended), replay


def _rounded_s(segment: Segment) -> int:
    """No segment may round to more than the target duration (RFC 8216, 4.3.3.1)."""
    return math.floor(segment.duration_s + 0.5)


def _lines(shown: Sequence[_Placed], take_number: int | None) -> list[str]:
    """The segments' lines, after those of this take if any."""
    lines: list[str] = []
    for one in shown:
        if one.take_number != take_number:
            if take_number is not None:
                lines.append("#EXT-X-DISCONTINUITY")
            lines.append(f'#EXT-X-MAP:URI="{one.take.folder}/init.mp4"')
            take_number = one.take_number
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{iso_ms(one.at)}")
        lines.append(f"#EXTINF:{one.segment.duration_s:.6f},")
        lines.append(f"{one.take.folder}/{one.segment.name}")
    return lines


def _text(lines: Sequence[str], *, ended: bool) -> str:
    return "".join(f"{line}\n" for line in [*lines, *["#EXT-X-ENDLIST"] * ended])
