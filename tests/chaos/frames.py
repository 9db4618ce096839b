"""What the server tells, read once for all viewers: the same bytes are the same frame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

CHAT = "chat.message"
ORDER = "order.placed"
STOCK = "stock.changed"
TOMBSTONE = "tombstone"

BOUNDS = re.compile(rb'\{"from":(\d+),"to":(\d+)')

Place = tuple[str, int]
"""(epoch, seq)."""


class Told(msgspec.Struct, frozen=True):
    """One event as the wire has it."""

    seq: int
    type: str
    data: dict[str, Any]
    id: str | None = None


class Stretch(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    from_: int
    to: int
    events: list[Told]
    thinned: int = 0


class Offer(msgspec.Struct, frozen=True):
    variant_id: str
    stock_version: int


class Room(msgspec.Struct, frozen=True):
    """The snapshot."""

    chat: list[Told]
    recent_orders: list[Told]
    offers: list[Offer]


class Hello(msgspec.Struct, frozen=True):
    epoch: str
    seq: int
    recovered: bool
    snapshot: Room | None = None
    resume: str | None = None
    retry_within_s: float = 1.0
    quiet_s: float | None = None


class Refusal(msgspec.Struct, frozen=True):
    code: str
    message: str = ""
    retry_after: float | None = None


class Any_(msgspec.Struct, frozen=True):  # noqa: N801 - any of the frames there are
    hello: Hello | None = None
    now: dict[str, Any] | None = None
    id: int | None = None
    ok: dict[str, Any] | None = None
    error: Refusal | None = None


def said(told: Told, epoch: str) -> str:
    """What makes it one thing, wherever it stands: a chat text (ours are unique), the id, or where
    nothing else does its place."""
    if told.type == CHAT:
        return str(told.data["text"])
    return told.id or f"{epoch}:{told.seq}"


@dataclass(slots=True, eq=False)
class Frame:
    """A stretch of one epoch's log, as the room told it.

    Only where it lies is read at once. The rest is read when the show is over
    (`Library.read_all`): two thousand who catch up at once would make the checkers the slowest
    part of the room.
    """

    epoch: str
    from_: int
    to: int
    text: bytes
    thinned: int = 0
    places: frozenset[Place] = frozenset()
    shown: tuple[tuple[str | None, str], ...] = ()
    """For each event its id, by which a client knows it again, and what it says."""
    chat: tuple[str, ...] = ()
    arrivals: list[float] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Snapshot:
    """Where a viewer began anew, and what of it can be checked."""

    epoch: str
    seq: int
    shown: tuple[tuple[str | None, str], ...]
    chat: frozenset[str]
    orders: int
    versions: dict[str, int]

    @classmethod
    def of(cls, hello: Hello) -> Snapshot:
        room = hello.snapshot
        assert room is not None
        events = [*room.chat, *room.recent_orders]
        return cls(
            epoch=hello.epoch,
            seq=hello.seq,
            shown=tuple((told.id, said(told, hello.epoch)) for told in events),
            chat=frozenset(said(told, hello.epoch) for told in room.chat),
            orders=len(room.recent_orders),
            versions={offer.variant_id: offer.stock_version for offer in room.offers},
        )


class Library:
    """Every frame that was ever told, and what was told at every place.

    `faults` are what no viewer's rules can see: one place with two contents, a frame that leaves
    something out without saying so.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.at: dict[Place, Told] = {}
        self._frames: dict[str, dict[bytes, Frame]] = {}
        self._stretch = msgspec.json.Decoder(Stretch)
        self._other = msgspec.json.Decoder(Any_)

    def frame(self, epoch: str, text: bytes) -> Frame:
        """The frame in this text, which was told to somebody in `epoch`."""
        known = self._frames.setdefault(epoch, {})
        found = known.get(text)
        if found is None:
            bounds = BOUNDS.match(text)
            assert bounds is not None, text[:80]
            found = known[text] = Frame(epoch, int(bounds[1]), int(bounds[2]), text)
        return found

    def read_all(self) -> None:
        """Read what the frames say, and whether they contradict each other."""
        for frame in self.frames():
            if frame.text:
                self._read(frame, self._stretch.decode(frame.text))
                frame.text = b""

    def frames(self) -> Iterator[Frame]:
        for known in self._frames.values():
            yield from known.values()

    def other(self, text: bytes) -> Any_:
        return self._other.decode(text)

    def _read(self, frame: Frame, stretch: Stretch) -> None:
        epoch, seqs = frame.epoch, [told.seq for told in stretch.events]
        if seqs != sorted(set(seqs)) or any(not frame.from_ <= seq <= frame.to for seq in seqs):
            self.faults.append(f"{epoch} {frame.from_}-{frame.to}: out of order: {seqs}")
        if len(seqs) + stretch.thinned != frame.to - frame.from_ + 1:
            self.faults.append(f"{epoch} {frame.from_}-{frame.to}: {len(seqs)} events")
        for told in stretch.events:
            self._note((epoch, told.seq), told)
        frame.thinned = stretch.thinned
        frame.places = frozenset((epoch, seq) for seq in seqs)
        frame.shown = tuple((told.id, said(told, epoch)) for told in stretch.events)
        frame.chat = tuple(said(told, epoch) for told in stretch.events if told.type == CHAT)

    def _note(self, place: Place, told: Told) -> None:
        before = self.at.setdefault(place, told)
        if before.type == TOMBSTONE or told.type == TOMBSTONE:
            return
        if (before.type, before.data, before.id) != (told.type, told.data, told.id):
            self.faults.append(f"{place}: first {before}, then {told}")
