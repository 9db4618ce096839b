"""The media clock: wall time to recording time and back, piecewise over the takes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import iso_ms

# Wall time counts whole microseconds: the end of a span may be rounded up by this much.
TICK_S = 1e-6


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch without a gap: media second `media_start_s` was filmed at `wall_start`."""

    wall_start: datetime
    media_start_s: float
    duration_s: float

    @property
    def media_end_s(self) -> float:
        return self.media_start_s + self.duration_s


@dataclass(frozen=True, slots=True)
class MediaClock:
    """The spans of one recording, in the order of its timeline."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, takes: Iterable[tuple[datetime, float]]) -> MediaClock:
        """The clock of takes, each given as (wall time of its media zero, seconds it lasts)."""
        spans: list[Span] = []
        media_s = 0.0
        for wall_start, duration_s in takes:
            spans.append(Span(wall_start, media_s, duration_s))
            media_s += duration_s
        return cls(tuple(spans))

    @property
    def duration_s(self) -> float:
        return self.spans[-1].media_end_s if self.spans else 0.0

    def media_s(self, wall: datetime) -> float | None:
        """The recording's second at `wall`; while the camera was away, where it came back.

        `None` before the first take and after the last.
        """
        after = bisect_right(self.spans, wall, key=lambda span: span.wall_start)
        if after == 0:
            return None
        span = self.spans[after - 1]
        offset_s = (wall - span.wall_start).total_seconds()
        if offset_s <= span.duration_s + TICK_S:
            return span.media_start_s + min(offset_s, span.duration_s)
        return self.spans[after].media_start_s if after < len(self.spans) else None

    def wall(self, media_s: float) -> datetime | None:
        """When second `media_s` was filmed; `None` outside the recording."""
        if not self.spans or not 0 <= media_s <= self.duration_s:
            return None
        after = bisect_right(self.spans, media_s, key=lambda span: span.media_start_s)
        span = self.spans[after - 1]
        return span.wall_start + timedelta(seconds=media_s - span.media_start_s)

    def as_data(self) -> list[dict[str, str | float]]:
        """The spans as JSON, for scripts that turn an entry's time into a place in the video."""
        return [
            {
                "wall_start": iso_ms(span.wall_start),
                "media_start_s": span.media_start_s,
                "duration_s": span.duration_s,
            }
            for span in self.spans
        ]
