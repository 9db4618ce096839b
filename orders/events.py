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

    @property
    def topic(self) -> str:
        return f"order:{self.order_id}"


class OrderMoved(Fact, frozen=True):
    """An order is in another state now."""

    name: ClassVar[str] = "orders.OrderMoved"

    order_id: UUID
    seller_id: UUID
    show_id: UUID | None
    buyer_id: UUID
    state: str
    at: datetime

    @property
    def topic(self) -> str:
        return f"order:{self.order_id}"
