"""What a person is told about facts that are theirs alone: `user:<id>`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from core.realtime import runtime
from orders.events import ClaimChanged, OrderFact, OrderMoved, PaymentSettled, RefundSettled
from orders.models import Order
from streams.me_consumer import PREFIX
from streams.me_protocol import ClaimMoved, OrderChanged, PaymentChanged, RefundChanged
from streams.protocol.events import RoomEvent

MONEY: dict[type[OrderFact], type[RoomEvent]] = {
    PaymentSettled: PaymentChanged,
    RefundSettled: RefundChanged,
    ClaimChanged: ClaimMoved,
}


def tell_moved(fact: OrderMoved, fact_id: UUID) -> None:
    number = fact.number or _number(fact.order_id)
    if number is not None:
        _tell(fact.buyer_id, OrderChanged(fact.order_id, number, fact.state), fact.at, fact_id)


def tell_money(fact: OrderFact, fact_id: UUID) -> None:
    """What is of a fact in the event of the same fields."""
    event = msgspec.convert(msgspec.to_builtins(fact), MONEY[type(fact)], strict=False)
    _tell(fact.buyer_id, event, fact.at, fact_id)


def _number(order_id: UUID) -> str | None:
    """Of a fact that was written before facts had it."""
    numbers = Order.objects.filter(public_id=order_id).values_list("number", flat=True)
    return numbers.first()


def _tell(user_id: UUID, event: RoomEvent, at: datetime, fact_id: UUID) -> None:
    runtime.current().log.append_blocking(f"{PREFIX}:{user_id}", [event.entry(at, fact_id=fact_id)])
