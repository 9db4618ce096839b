"""A piece of live media that can be given to a player by itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One fragment (`moof` and `mdat`) of a fragmented MP4, some 100 ms long.

    `start_s` is the media time in its take at which its video begins (`tfdt`); with `is_key` the
    first video sample is a sync sample, so that a player can begin here. Of a rendition without a
    picture every part is a key.
    """

    data: bytes
    start_s: float
    duration_s: float
    is_key: bool

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s
