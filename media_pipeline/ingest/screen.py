"""Where a take's parts go to be watched now: the feed of its show."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from media_pipeline.ingest.boxes import Init
from media_pipeline.live.feed import feeds
from media_pipeline.live.parts import Part

TOLD_FROM_MS = 10.0
"""Viewers see by it how far behind they are, in tenths of a second."""


class Screen:
    """One take on the feed of its show. To be used in the event loop; no call waits."""

    def __init__(
        self, show_id: uuid.UUID, take_id: uuid.UUID, zero_at: Callable[[], datetime]
    ) -> None:
        """`zero_at` tells the wall time of the take's media second 0 by the camera's clock now."""
        self._feed = feeds.feed(show_id)
        self._take_id = take_id
        self._zero_at = zero_at
        self._began_at: datetime | None = None
        self._told_ms = 0.0

    def began(self, init: Init) -> None:
        self._began_at = self._zero_at()
        self._feed.begin(self._take_id, init.data, init.mime, self._began_at)

    def came(self, part: Part) -> bool:
        self._tell_drift()
        return self._feed.push(part)

    def ended(self) -> None:
        self._feed.end()

    def _tell_drift(self) -> None:
        """A player puts a take where it began: what its clock is off since then is told apart."""
        began_at = self._began_at or self._zero_at()
        drift_ms = (self._zero_at() - began_at) / timedelta(milliseconds=1)
        if abs(drift_ms - self._told_ms) >= TOLD_FROM_MS:
            self._told_ms = round(drift_ms, 1)
            self._feed.drifted(self._told_ms)
