"""The frames that a hub writes by itself, encoded once for all sockets of a topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.clock import iso_ms
from core.realtime.log import Entry

# RFC 6455, 5.2: the only frame of a text message, and of a binary one.
_WHOLE_TEXT = b"\x81"
_WHOLE_BINARY = b"\x82"


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of the log, as every frame and the snapshot show it.

    `id` names what happened: after a new epoch a client shows each id once.
    """

    seq: int
    at: str
    type: str
    data: dict[str, Any]
    id: str | None = None


class Events(msgspec.Struct, frozen=True, rename={"from_": "from"}, omit_defaults=True):
    """A stretch of the log. A `from` that does not follow the last `to` is a gap."""

    from_: int
    to: int
    events: list[Event]
    thinned: int = 0


class Now(msgspec.Struct, frozen=True):
    """The latest values; never logged, at most once a second."""

    now: dict[str, int]


class Prepared:
    """One or more frames for many sockets: their texts and, made once, their bytes on the wire."""

    __slots__ = ("_wire", "texts")

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self._wire: bytes | None = None

    @property
    def text(self) -> str:
        """The first frame's text."""
        return self.texts[0]

    @property
    def wire(self) -> bytes:
        """What a server that compresses nothing writes for them."""
        if self._wire is None:
            self._wire = b"".join(wire_of(text.encode()) for text in self.texts)
        return self._wire


class Media:
    """A message of live media, text or bytes, for many sockets: encoded once.

    Unlike a room's frames it may be left out for one that is slow. `size` is in bytes on the wire.
    """

    __slots__ = ("message", "size", "wire")

    def __init__(self, message: str | bytes) -> None:
        self.message = message
        if isinstance(message, str):
            self.wire = wire_of(message.encode())
        else:
            self.wire = binary_wire_of(message)
        self.size = len(self.wire)


def wire_of(payload: bytes) -> bytes:
    """An unmasked, unfragmented text frame (RFC 6455, 5.2), as servers send them."""
    return _frame(_WHOLE_TEXT, payload)


def binary_wire_of(payload: bytes) -> bytes:
    """`wire_of` for a binary message."""
    return _frame(_WHOLE_BINARY, payload)


def _frame(opcode: bytes, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return b"%b%c%b" % (opcode, length, payload)
    if length < 1 << 16:
        return b"%b\x7e%b%b" % (opcode, length.to_bytes(2, "big"), payload)
    return b"%b\x7f%b%b" % (opcode, length.to_bytes(8, "big"), payload)


_encoder = msgspec.json.Encoder()


def encode(value: object) -> str:
    return _encoder.encode(value).decode()


def event_of(entry: Entry) -> Event:
    return Event(
        seq=entry.seq,
        at=iso_ms(entry.at),
        type=entry.type,
        data=entry.data,
        id=None if entry.fact_id is None else str(entry.fact_id),
    )


class _Stretch(msgspec.Struct, frozen=True, rename={"from_": "from"}, omit_defaults=True):
    """`Events` of what is encoded already."""

    from_: int
    to: int
    events: list[msgspec.Raw]
    thinned: int = 0


def encoded_event(entry: Entry) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(event_of(entry)))


def stretch_frame(first: int, last: int, events: list[msgspec.Raw], thinned: int = 0) -> str:
    """The text of a frame that covers `first` to `last`; so many of them are only counted."""
    return encode(_Stretch(from_=first, to=last, events=events, thinned=thinned))


def events_frame(entries: Sequence[Entry]) -> str:
    """The text of a frame that covers these entries, which are consecutive and not empty."""
    events = [encoded_event(entry) for entry in entries]
    return stretch_frame(entries[0].seq, entries[-1].seq, events)


def now_frame(values: Mapping[str, int]) -> str:
    return encode(Now(dict(values)))
