"""What a player hears on `/ws/live/` (`docs/live-media.md`), each encoded once for all."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from core.realtime.frames import Media

HEAD = struct.Struct(">Bd")
INIT, KEY, DELTA = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Opening:
    """How a take begins: what a player must have before any part of it. Times in ms.

    What is shown now was filmed `drift_ms` later than `wall_start_ms` and its media time say.
    """

    take_id: UUID
    mime: str
    wall_start_ms: float
    init: bytes
    drift_ms: float = 0.0

    @classmethod
    def of(cls, take_id: UUID, init: bytes, mime: str, started_at: datetime) -> Opening:
        return cls(take_id, mime, started_at.timestamp() * 1000, init)

    def frames(self, rendition: str) -> tuple[Media, Media]:
        take = {
            "id": str(self.take_id),
            "rendition": rendition,
            "mime": self.mime,
            "wall_start_ms": self.wall_start_ms,
            "drift_ms": self.drift_ms,
        }
        head = HEAD.pack(INIT, self.wall_start_ms)
        return text_frame(take=take), Media(head + self.init)


def part_payload(data: bytes, wall_ms: float, *, is_key: bool) -> bytes:
    return HEAD.pack(KEY if is_key else DELTA, wall_ms) + data


def server_ms() -> float:
    """The wall clock that all wall times on this socket are of."""
    return time.time() * 1000


def text(**frame: object) -> str:
    return msgspec.json.encode(frame).decode()


def text_frame(**frame: object) -> Media:
    return Media(text(**frame))


def hello(renditions: Sequence[str], poster: dict[str, Any] | None) -> str:
    return text(hello={"server_ms": server_ms(), "renditions": renditions, "poster": poster})


def now() -> Media:
    return text_frame(now={"server_ms": server_ms()})


def drift(drift_ms: float) -> Media:
    return text_frame(drift={"ms": drift_ms})


OFF = text_frame(off={})
LATE = text_frame(late={})
ELSEWHERE = text_frame(elsewhere=True)
