"""Ordering the same again, as it is sold today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse

from core.money import Money
from orders.models import Order, OrderLine


class Repriced(NamedTuple):
    """Something that was ordered at one price and is sold at another now."""

    title: str
    was: Money
    now: Money


@dataclass(frozen=True, slots=True)
class Again:
    """What of an order goes into a new basket, and what is not on sale any more.

    `repriced`: what costs something else outside of its show, or by now.
    """

    lines: list[dict[str, object]]
    missing: list[str]
    repriced: list[Repriced]


def again_url(order: Order) -> str:
    """Where its goods are sold outside of a show."""
    return f"{reverse('shop', args=[order.seller.public_id])}?again={order.public_id}"


def again(order: Order) -> Again:
    """The order's lines, each at most as often as there is stock."""
    goods = order.lines.select_related("order", "variant__stock", "variant__product__seller")
    lines = list(goods.order_by("pk"))
    sold = [line for line in lines if _is_sold(line)]
    return Again(
        lines=[
            {
                "id": str(line.variant.public_id),
                "quantity": min(line.quantity, line.variant.stock.available),
            }
            for line in sold
        ],
        missing=[line.title for line in lines if line not in sold],
        repriced=[
            Repriced(line.title, line.price, line.variant.price)
            for line in sold
            if line.price != line.variant.price
        ],
    )


def _is_sold(line: OrderLine) -> bool:
    return line.variant.is_active and line.variant.stock.available > 0
