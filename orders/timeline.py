"""The way of an order as people see it: what is behind it, where it is, what is to come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from orders.models import Delivery, Order, OrderMove, OrderState

WAY = (OrderState.PLACED, OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED)


@dataclass(frozen=True, slots=True)
class Step:
    """One stage; `at` is known for stages that are behind the order."""

    label: str
    is_done: bool
    is_current: bool
    at: datetime | None = None


def steps(order: Order, moves: Iterable[OrderMove] = ()) -> list[Step]:
    """The stages of an order; a cancelled one has no way any more."""
    if order.state == OrderState.CANCELLED:
        return []
    reached = WAY.index(OrderState(order.state))
    times = {move.state: move.at for move in moves}
    return [
        Step(
            label=_label(state, order.delivery),
            is_done=number < reached or order.state == OrderState.DELIVERED,
            is_current=number == reached,
            at=times.get(state),
        )
        for number, state in enumerate(WAY)
    ]


def _label(state: OrderState, delivery: str) -> str:
    """Who fetches the goods waits for other news than who has them brought."""
    fetched = delivery == Delivery.PICKUP
    labels = {
        OrderState.PLACED: _("Ordered"),
        OrderState.PACKED: _("Packed"),
        OrderState.SENT: _("Ready") if fetched else _("On its way"),
        OrderState.DELIVERED: _("Picked up") if fetched else _("Delivered"),
    }
    return labels[state]


@dataclass(frozen=True, slots=True)
class Action:
    """What the seller can do with an order next, and what the button says."""

    to: OrderState
    label: str


def actions(order: Order, allowed: Iterable[OrderState]) -> list[Action]:
    """The allowed moves as buttons, the usual one first and cancelling last."""
    fetched = order.delivery == Delivery.PICKUP
    labels = {
        OrderState.PACKED: _("Mark as packed"),
        OrderState.SENT: _("It is at the pick-up point") if fetched else _("Mark as sent"),
        OrderState.DELIVERED: _("It was picked up") if fetched else _("Mark as delivered"),
        OrderState.CANCELLED: _("Cancel"),
    }
    return [Action(to, label) for to, label in labels.items() if to in set(allowed)]
