"""What a person is told about facts that are theirs alone: `user:<id>`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core.realtime import runtime
from orders.events import OrderMoved
from orders.models import Order
from streams.me_consumer import PREFIX
from streams.me_protocol import OrderChanged
from streams.protocol.events import RoomEvent


def tell_moved(fact: OrderMoved, fact_id: UUID) -> None:
    number = _number(fact.order_id)
    if number is not None:
        _tell(fact.buyer_id, OrderChanged(fact.order_id, number, fact.state), fact.at, fact_id)


def _number(order_id: UUID) -> str | None:
    numbers = Order.objects.filter(public_id=order_id).values_list("number", flat=True)
    return numbers.first()


def _tell(user_id: UUID, event: RoomEvent, at: datetime, fact_id: UUID) -> None:
    runtime.current().log.append_blocking(f"{PREFIX}:{user_id}", [event.entry(at, fact_id=fact_id)])
