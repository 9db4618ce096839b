"""Where a take's parts go to be watched now: the feed of its show."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

from media_pipeline.ingest.boxes import Init
from media_pipeline.live.feed import feeds
from media_pipeline.live.parts import Part


class Screen:
    """One take on the feed of its show. To be used in the event loop; no call waits."""

    def __init__(
        self, show_id: uuid.UUID, take_id: uuid.UUID, zero_at: Callable[[], datetime]
    ) -> None:
        """`zero_at` tells the wall time of the take's media second 0."""
        self._feed = feeds.feed(show_id)
        self._take_id = take_id
        self._zero_at = zero_at

    def began(self, init: Init) -> None:
        self._feed.begin(self._take_id, init.data, init.mime, self._zero_at())

    def came(self, part: Part) -> bool:
        return self._feed.push(part)

    def ended(self) -> None:
        self._feed.end()
