"""The media clock: wall time to recording time and back, piecewise over the takes.

Within a take a camera's clock runs a little faster or slower than this machine's, so that a take
is piecewise too (`Drift`). Whatever turns wall time into media time, or back, does it here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

# Wall time counts whole microseconds: the end of a span may be rounded up by this much.
TICK_S = 1e-6


@dataclass(frozen=True, slots=True)
class Drift:
    """How a take's camera runs against this machine's clock, as `media_pipeline.ingest.drift` saw.

    Each point is a second of the take, and how late it was here, in seconds. What comes on top of
    the first point's is no delay but drift; between two points it grows evenly, and behind the
    last it stays. Without points the camera's clock is taken to be right.
    """

    points: tuple[tuple[float, float], ...] = ()

    @classmethod
    def of(cls, row: Iterable[Sequence[int]]) -> Drift:
        """From what is stored with a take: pairs of milliseconds."""
        return cls(tuple((media_ms / 1000, late_ms / 1000) for media_ms, late_ms in row))

    def as_row(self) -> list[list[int]]:
        return [[round(media_s * 1000), round(late_s * 1000)] for media_s, late_s in self.points]

    def at(self, media_s: float) -> float:
        """Seconds by which this second of the take was filmed later than a right clock says."""
        return self._late_s(media_s) - self.points[0][1] if self.points else 0.0

    def moved(self, media_s: float, late_s: float) -> Drift:
        """The same, where seconds count from earlier and lateness from another zero."""
        return Drift(tuple((at_s + media_s, was_s + late_s) for at_s, was_s in self.points))

    def behind(self, media_s: float) -> Drift:
        """Of what is left of the take when it begins with this second."""
        after = [(at_s - media_s, late_s) for at_s, late_s in self.points if at_s > media_s]
        return Drift(((0.0, self._late_s(media_s)), *after)) if self.points else self

    def _late_s(self, media_s: float) -> float:
        after = bisect_right(self.points, media_s, key=lambda point: point[0])
        if after in {0, len(self.points)}:
            return self.points[max(0, after - 1)][1]
        (from_s, first_s), (to_s, last_s) = self.points[after - 1 : after + 1]
        return first_s + (last_s - first_s) * (media_s - from_s) / (to_s - from_s)


STEADY = Drift()
"""A camera whose clock is right, as far as is known."""


class Filmed(NamedTuple):
    """A take: the wall time of its media zero, how many seconds it plays, and its drift."""

    started_at: datetime
    duration_s: float
    drift: Drift = STEADY

    def wall(self, media_s: float) -> datetime:
        """When this second of the take was filmed."""
        return self.started_at + timedelta(seconds=media_s + self.drift.at(media_s))

    def spans(self, media_start_s: float) -> Iterator[Span]:
        """The take on the recording's timeline, where it begins at `media_start_s`."""
        inner = (at_s for at_s, _late_s in self.drift.points if 0 < at_s < self.duration_s)
        for from_s, to_s in pairwise([0.0, *inner, self.duration_s]):
            lasted_s = to_s - from_s + self.drift.at(to_s) - self.drift.at(from_s)
            yield Span(self.wall(from_s), media_start_s + from_s, to_s - from_s, lasted_s)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one pace without a gap: media second `media_start_s` was filmed at `wall_start`.

    It plays for `duration_s`, and was filmed in `wall_duration_s`.
    """

    wall_start: datetime
    media_start_s: float
    duration_s: float
    wall_duration_s: float

    @property
    def media_end_s(self) -> float:
        return self.media_start_s + self.duration_s

    @property
    def _pace(self) -> float:
        return self.wall_duration_s / self.duration_s if self.duration_s else 1.0

    def media_s(self, wall: datetime) -> float | None:
        """`None` for a time after its end; `wall` is not before its start."""
        offset_s = (wall - self.wall_start).total_seconds()
        if offset_s > self.wall_duration_s + TICK_S:
            return None
        return self.media_start_s + min(offset_s, self.wall_duration_s) / self._pace

    def wall(self, media_s: float) -> datetime:
        return self.wall_start + timedelta(seconds=(media_s - self.media_start_s) * self._pace)


@dataclass(frozen=True, slots=True)
class MediaClock:
    """The spans of one recording, in the order of its timeline."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, takes: Iterable[Filmed]) -> MediaClock:
        spans: list[Span] = []
        media_s = 0.0
        for take in takes:
            spans += take.spans(media_s)
            media_s += take.duration_s
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
        found = self.spans[after - 1].media_s(wall)
        if found is None and after < len(self.spans):
            return self.spans[after].media_start_s
        return found

    def wall(self, media_s: float) -> datetime | None:
        """When second `media_s` was filmed; `None` outside the recording."""
        if not self.spans or not 0 <= media_s <= self.duration_s:
            return None
        after = bisect_right(self.spans, media_s, key=lambda span: span.media_start_s)
        return self.spans[after - 1].wall(media_s)
