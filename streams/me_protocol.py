"""What a person is told about what is theirs: the types of `/ws/me/`."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from streams.protocol.events import RoomEvent


class OrderChanged(RoomEvent, frozen=True):
    """An order of yours is in this state now."""

    type: ClassVar[str] = "order.changed"
    order_id: UUID
    number: str
    state: str


class PaymentChanged(RoomEvent, frozen=True):
    """A payment for an order of yours came to its end. `is_surplus`: it is paid back by itself."""

    type: ClassVar[str] = "payment.changed"
    order_id: UUID
    number: str
    state: Literal["paid", "failed"]
    is_surplus: bool


class RefundChanged(RoomEvent, frozen=True):
    """Money of an order of yours was paid back, or could not be."""

    type: ClassVar[str] = "refund.changed"
    order_id: UUID
    number: str
    state: Literal["done", "failed"]
    amount_minor: int
    currency: str


class ClaimMoved(RoomEvent, frozen=True):
    """What you asked back was asked, answered or taken back."""

    type: ClassVar[str] = "claim.changed"
    order_id: UUID
    number: str
    state: Literal["open", "accepted", "declined", "withdrawn"]


class ShopClaimMoved(RoomEvent, frozen=True):
    """Money was asked back, answered or no longer asked for, of an order of a shop of yours."""

    type: ClassVar[str] = "shop.claim_changed"
    order_id: UUID
    number: str
    state: str


class MessageCame(RoomEvent, frozen=True):
    """Somebody who teaches you wrote to you; `url` is the page where it stays."""

    type: ClassVar[str] = "message.came"
    id: UUID
    text: str
    sender: str
    url: str


class PracticeReviewed(RoomEvent, frozen=True):
    """A mentor has looked at a practice of yours, or somebody answered in a review."""

    type: ClassVar[str] = "practice.reviewed"
    attempt_id: UUID
    verdict: Literal["again", "accepted", "answered"]


class OrderUnderWay(msgspec.Struct, frozen=True):
    """An order of yours that is not at its end, as it is now."""

    order_id: UUID
    number: str
    state: str


class MySnapshot(msgspec.Struct, frozen=True):
    """Your newest orders that are still under way, at most 20."""

    orders: list[OrderUnderWay]
