"""When a take's media began, by this machine's clock. The phone's clock is never asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from media_pipeline.clock import STEADY, Drift
from media_pipeline.ingest.chunks import ChunkLine
from media_pipeline.ingest.drift import DriftMeter

PHONE_KEEPS = timedelta(seconds=30)
"""A take is opened at most so long after its recorder was started."""
REFINED_FOR = timedelta(seconds=60)
"""Later a recorder's clock that runs fast would look like a chunk that was less delayed: what it
is off by then is its drift."""
RECORDER_HOLDS = timedelta(seconds=1.5)
"""Recorders hand over MP4 once a second: so much later than it was filmed a frame may come."""
USUAL_HOLD = timedelta(seconds=0.1)


class MediaZero:
    """The wall time of second 0 of a take's stream, and how the camera's clock runs from there on.

    A chunk was handed over `offset` after the recorder was started and came some time after that:
    the least delayed one tells best when the start was. What the stream itself says bounds it: a
    frame does not come before it is filmed, and not long after.
    """

    def __init__(
        self,
        earlier: Iterable[ChunkLine] = (),
        known: datetime | None = None,
        first_s: float | None = None,
        drift: Drift = STEADY,
    ) -> None:
        """`known` is the wall time of second `first_s`, which an earlier process has found.

        Where it had not, the chunks that it received tell. `drift` counts from `first_s`.
        """
        self._is_known = known is not None
        self._zero = known - timedelta(seconds=first_s or 0.0) if known else None
        self._latest: datetime | None = None
        self._first_at: datetime | None = None
        self._meter = DriftMeter(drift.moved(first_s or 0.0, 0.0))
        self._is_fed_again = False
        for line in earlier:
            self._is_fed_again = True
            self.note_chunk(line.at, timedelta(milliseconds=line.offset_ms))

    def note_chunk(self, arrived: datetime, offset: timedelta) -> None:
        """A chunk came. An offset that no recorder of this take can have says only that."""
        self._first_at = self._first_at or arrived
        if self._is_known or arrived > self._first_at + REFINED_FOR:
            return
        at = arrived - offset
        if at < self._first_at - PHONE_KEEPS:
            at = arrived
        self._zero = min(self._zero or at, at)

    def note_part(self, at: datetime, end_s: float) -> None:
        """The picture up to second `end_s` of the stream was there at `at`."""
        first_at = self._first_at
        if self._is_known or self._is_fed_again or first_at is None or at > first_at + REFINED_FOR:
            return
        bound = at - timedelta(seconds=end_s)
        self._latest = min(self._latest or bound, bound)

    def note_picture(self, at: datetime, media_s: float) -> None:
        """The picture of second `media_s` of the stream was there at `at`, as soon as it came."""
        if (origin := self._origin) is not None:
            self._meter.note(media_s, (at - origin).total_seconds() - media_s)

    @property
    def _origin(self) -> datetime | None:
        """What the meter counts from: it must not become more exact under its hands."""
        return self._zero if self._is_known else self._first_at

    def drift(self, first_s: float | None) -> Drift:
        """What is known of it by now, for a take whose media begins at `first_s` of the stream."""
        origin, zero = self._origin, self.at(0.0)
        if origin is None or zero is None:
            return STEADY
        return self._meter.drift.moved(-(first_s or 0.0), (origin - zero).total_seconds())

    @property
    def now(self) -> datetime | None:
        """The wall time of second 0 by what the camera's clock says now."""
        zero = self.at(0.0)
        return zero + timedelta(seconds=self._meter.now_s) if zero is not None else None

    def at(self, media_s: float | None) -> datetime | None:
        """The wall time of a second of the stream, of its second 0 if none is given."""
        zero, latest = self._zero, self._latest
        if zero is None:
            return None
        if latest is not None and not latest - RECORDER_HOLDS <= zero <= latest:
            zero = latest - USUAL_HOLD
        return zero + timedelta(seconds=media_s or 0.0)
