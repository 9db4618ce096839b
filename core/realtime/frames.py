"""The frames that a hub writes by itself, encoded once for all sockets of a topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.clock import iso_ms
from core.realtime.log import Entry


class Event(msgspec.Struct, frozen=True):
    """One entry of the log, as every frame and the snapshot show it."""

    seq: int
    at: str
    type: str
    data: dict[str, Any]


class Events(msgspec.Struct, frozen=True, rename={"from_": "from"}, omit_defaults=True):
    """A stretch of the log. A `from` that does not follow the last `to` is a gap."""

    from_: int
    to: int
    events: list[Event]
    thinned: int = 0


class Now(msgspec.Struct, frozen=True):
    """The latest values; never logged, at most once a second."""

    now: dict[str, int]


_encoder = msgspec.json.Encoder()


def encode(value: object) -> str:
    return _encoder.encode(value).decode()


def event_of(entry: Entry) -> Event:
    return Event(seq=entry.seq, at=iso_ms(entry.at), type=entry.type, data=entry.data)


def events_frame(entries: Sequence[Entry]) -> str:
    """The text of a frame that covers these entries, which are consecutive and not empty."""
    events = [event_of(entry) for entry in entries]
    return encode(Events(from_=entries[0].seq, to=entries[-1].seq, events=events))


def now_frame(values: Mapping[str, int]) -> str:
    return encode(Now(dict(values)))
