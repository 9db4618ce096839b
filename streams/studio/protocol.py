"""What the studio's socket tells besides the room: host-only events and their snapshot."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from core.realtime.frames import Event
from core.realtime.log import NewEntry
from streams.studio.figures import Figures


class StudioLine(Struct, frozen=True):
    """So many of one thing."""

    title: str
    quantity: int


class StudioOrder(Struct, frozen=True):
    """An order as its seller's people see it; `place` is where it is fetched, if it is."""

    id: UUID
    number: str
    state: str
    buyer: str
    lines: list[StudioLine]
    total_minor: int
    currency: str
    delivery: Literal["courier", "pickup"]
    place: str
    note: str
    placed_at: str


class StudioEvent(Struct, frozen=True):
    """The `data` of one event of the studio's topic."""

    type: ClassVar[str]

    def entry(self, at: datetime, *, fact_id: UUID | None = None) -> NewEntry:
        return NewEntry(type=self.type, data=msgspec.to_builtins(self), at=at, fact_id=fact_id)


class OrderPlacedInFull(StudioEvent, frozen=True):
    """Somebody bought: the whole order."""

    type: ClassVar[str] = "order.placed"
    order: StudioOrder


class OrderMovedInFull(StudioEvent, frozen=True):
    """An order is in another state now; `by` says who moved it, if that is known."""

    type: ClassVar[str] = "order.moved"
    order: StudioOrder
    by: str


class StockLow(StudioEvent, frozen=True):
    """There is little left of what the show sells. Keep what has the highest `version`."""

    type: ClassVar[str] = "stock.low"
    variant_id: UUID
    title: str
    available: int
    version: int


class ShowReviewedInFull(StudioEvent, frozen=True):
    """An operator said yes or no to the show, which waited for that; `reason` is that of a no."""

    type: ClassVar[str] = "show.reviewed"
    is_yes: bool
    reason: str


class ReviewView(Struct, frozen=True):
    """Whether the show may go live: a seller's first waits for an operator's yes."""

    standing: Literal["free", "waiting", "refused"]
    reason: str = ""


class RenditionsChanged(StudioEvent, frozen=True):
    """What viewers with little data are offered beside the source.

    `low`: a 360p. `no_room`: no 360p, the machine has no room for it. `not_needed`: the source is
    as small. `source`: no 360p, by the instance's setting. `sound`: there is no picture at all.
    `measuring`: not known yet. `off`: no camera.
    """

    type: ClassVar[str] = "renditions.changed"
    state: str


class HeldViewer(Struct, frozen=True):
    """Somebody who is muted or sent away: by whom, why and until when (`None`: for good)."""

    user_id: UUID
    name: str
    by: str
    reason: str
    at: str
    until: str | None


class StudioSnapshot(Struct, frozen=True):
    """The studio as it is: orders and what was done to keep order, the newest first."""

    orders: list[StudioOrder]
    figures: Figures
    moderation: list[Event]
    muted: list[HeldViewer]
    banned: list[HeldViewer]
    slow_mode_s: int
    review: ReviewView = ReviewView("free")
    renditions: str = "off"
    """As in `renditions.changed`."""
