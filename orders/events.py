"""Facts about orders."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from core.outbox import Fact


class LineSold(msgspec.Struct, frozen=True):
    """What of an order strangers may see."""

    variant_id: UUID
    title: str
    quantity: int


class OrderPlaced(Fact, frozen=True):
    """Somebody bought. `buyer_name` is masked ("L**"): this is told to the whole room."""

    name: ClassVar[str] = "orders.OrderPlaced"

    order_id: UUID
    order_number: str
    seller_id: UUID
    show_id: UUID | None
    buyer_name: str
    lines: list[LineSold]
    total_minor: int
    currency: str
    at: datetime
    state: str = "placed"

    @property
    def topic(self) -> str:
        return f"order:{self.order_id}"


class OfferFact(Fact, frozen=True):
    """What the facts about an offer have in common; readers keep the highest `version`."""

    show_id: UUID
    offer_id: UUID
    version: int
    at: datetime

    @property
    def topic(self) -> str:
        return f"offer:{self.offer_id}"


class OfferChanged(OfferFact, frozen=True):
    """An offer has other terms, or another number left, since its `version`."""

    name: ClassVar[str] = "orders.OfferChanged"


class OfferRemoved(OfferFact, frozen=True):
    """An offer was taken out of its show; `version` is above every one that was told of it."""

    name: ClassVar[str] = "orders.OfferRemoved"


class OrderMoved(Fact, frozen=True):
    """An order is in another state now, or has another tracking number."""

    name: ClassVar[str] = "orders.OrderMoved"

    order_id: UUID
    seller_id: UUID
    show_id: UUID | None
    buyer_id: UUID
    state: str
    at: datetime
    number: str = ""

    @property
    def topic(self) -> str:
        return f"order:{self.order_id}"


class OrderFact(Fact, frozen=True):
    """What the facts about an order's money have in common."""

    order_id: UUID
    number: str
    seller_id: UUID
    buyer_id: UUID
    at: datetime

    @property
    def topic(self) -> str:
        return f"order:{self.order_id}"


class PaymentSettled(OrderFact, frozen=True):
    """A payment came to its end: `state` is "paid" or "failed".

    `is_surplus`: the money came too late or a second time, and is paid back by itself.
    """

    name: ClassVar[str] = "orders.PaymentSettled"

    payment_id: UUID
    state: str
    is_surplus: bool


class RefundSettled(OrderFact, frozen=True):
    """Money was paid back (`state` is "done"), or could not be ("failed")."""

    name: ClassVar[str] = "orders.RefundSettled"

    refund_id: UUID
    state: str
    amount_minor: int
    currency: str


class ClaimChanged(OrderFact, frozen=True):
    """A buyer asked for money back, took that back, or was answered."""

    name: ClassVar[str] = "orders.ClaimChanged"

    claim_id: UUID
    state: str
