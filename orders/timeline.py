"""The way of an order as people see it: what is behind it, where it is, what is to come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from orders.models import GONE, Delivery, Order, OrderMove, OrderState, PaymentMethod

PARCEL = (OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED)
BY_CASH = (OrderState.PLACED, *PARCEL)
BY_PAYMENT = (OrderState.HELD, OrderState.PAID, *PARCEL)
OFF_THE_WAY = GONE | {OrderState.REFUNDED}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage; `at` is known for stages that are behind the order. `icon` is its picture."""

    label: str
    is_done: bool
    is_current: bool
    at: datetime | None = None
    icon: str = "check"


def steps(order: Order, moves: Iterable[OrderMove] = ()) -> list[Step]:
    """The stages of an order; one that is cancelled, expired or wholly paid back has no way."""
    if order.state in OFF_THE_WAY:
        return []
    way, times = _way(order), {move.state: move.at for move in moves}
    reached = way.index(OrderState(order.state))
    return [
        Step(
            label=_label(state, order.delivery),
            is_done=number < reached or order.state == OrderState.DELIVERED,
            is_current=number == reached,
            at=times.get(state),
            icon=_icon(state, order.delivery),
        )
        for number, state in enumerate(way)
    ]


def _way(order: Order) -> tuple[OrderState, ...]:
    """Money comes first or last; an order that was to be paid in cash may yet be paid online."""
    is_cash = order.payment_method == PaymentMethod.CASH_ON_DELIVERY
    return BY_CASH if is_cash and order.state not in BY_PAYMENT[:2] else BY_PAYMENT


def _label(state: OrderState, delivery: str) -> str:
    """Who fetches the goods waits for other news than who has them brought."""
    fetched = delivery == Delivery.PICKUP
    labels = {
        OrderState.HELD: _("Ordered"),
        OrderState.PLACED: _("Ordered"),
        OrderState.PAID: _("Paid"),
        OrderState.PACKED: _("Packed"),
        OrderState.SENT: _("Ready") if fetched else _("On its way"),
        OrderState.DELIVERED: _("Picked up") if fetched else _("Delivered"),
    }
    return labels[state]


def _icon(state: OrderState, delivery: str) -> str:
    icons = {
        OrderState.PAID: "cash",
        OrderState.PACKED: "orders",
        OrderState.SENT: "shop" if delivery == Delivery.PICKUP else "truck",
        OrderState.DELIVERED: "check",
    }
    return icons.get(state, "bag")


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
