"""Orders that are just there, with their goods set aside: for pages that show many of them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.db.models import F

from core.clock import now
from orders.models import GONE, Delivery, Order, OrderState, PaymentMethod
from sellers.models import Stock, Variant
from tests.world import World

NUMBERS = count(1)
OUT = {OrderState.SENT, OrderState.DELIVERED, OrderState.REFUNDED}
LINE = tuple[Variant, int]


def an_order(
    world: World, *lines: LINE, state: OrderState = OrderState.PLACED, **changes: Any
) -> Order:
    """Li's order of two boxes of apples, unless it is said otherwise, with the books right."""
    wanted = lines or ((world.apples, 2),)
    place = next(NUMBERS)
    fields: dict[str, Any] = {
        "number": f"{1000 + place:04d}-{2000 + place:04d}",
        "buyer": world.li,
        "seller": world.farm,
        "show_id": world.show.public_id,
        "state": state,
        "delivery": Delivery.COURIER,
        "recipient": "Li",
        "phone": "13800138000",
        "region": "51",
        "address": "8 River Street",
        "payment_method": PaymentMethod.CASH_ON_DELIVERY,
        "total_minor": sum(variant.price_minor * pieces for variant, pieces in wanted),
        "currency": "CNY",
        "idempotency_key": f"shelf-{place}",
        "request_hash": "-",
        "placed_at": now() - timedelta(minutes=place),
    }
    order = Order.objects.create(**(fields | changes))
    for variant, pieces in wanted:
        _add(order, variant, pieces)
    return order


def _add(order: Order, variant: Variant, pieces: int) -> None:
    order.lines.create(
        variant=variant, title=str(variant), quantity=pieces, price_minor=variant.price_minor
    )
    if order.state in GONE:
        return
    on_hand, reserved = (-pieces, 0) if order.state in OUT else (0, pieces)
    Stock.objects.filter(pk=variant.pk).update(
        on_hand=F("on_hand") + on_hand, reserved=F("reserved") + reserved
    )
    variant.movements.create(
        kind="ship" if on_hand else "reserve",
        on_hand_change=on_hand,
        reserved_change=reserved,
        order_id=order.public_id,
        actor=order.buyer,
    )
