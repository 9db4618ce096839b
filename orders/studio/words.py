"""How the studio puts an order into words: where it goes, what is paid, what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.money import Money
from orders.access import moves_of_seller
from orders.models import GONE, Delivery, Order, OrderState, PaymentMethod
from orders.timeline import Action, actions
from sellers.regions import address_line

CARRIERS = (
    "顺丰速运 SF Express",
    "中通快递 ZTO",
    "圆通速递 YTO",
    "申通快递 STO",
    "韵达快递 Yunda",
    "极兔速递 J&T",
    "京东物流 JD",
    "中国邮政 EMS",
    "德邦快递 Deppon",
)


@dataclass(frozen=True, slots=True)
class Due:
    """The order's money in words, and how much; `is_open` if the packer has to collect it."""

    words: str
    amount: Money
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """An order in the list: `step` is what is usually done next, if anything is."""

    order: Order
    step: Action | None
    may_cancel: bool
    due: Due
    address: str


def card(order: Order) -> Card:
    return Card(order, *next_steps(order), due=due(order), address=address(order))


def next_steps(order: Order) -> tuple[Action | None, bool]:
    """The usual next step, and whether the order can still be cancelled."""
    possible = actions(order, moves_of_seller(order))
    steps = [action for action in possible if action.to != OrderState.CANCELLED]
    return (steps[0] if steps else None), len(steps) < len(possible)


def address(order: Order) -> str:
    """The whole address in one line; empty for what is fetched."""
    return address_line(order.region, order.address)


def due(order: Order) -> Due:
    """What is to be collected, was paid, or never will be."""
    if order.state in GONE:
        return Due(_("Nothing to pay"), order.total)
    if order.state == OrderState.REFUNDED:
        return Due(_("Paid back"), order.total)
    if order.payment_method == PaymentMethod.CASH_ON_DELIVERY:
        return _cash(order)
    if order.state == OrderState.HELD:
        return Due(_("Not paid yet"), order.total)
    return Due(_("Paid online"), order.total)


def _cash(order: Order) -> Due:
    if order.state in {OrderState.DELIVERED, OrderState.PAID}:
        return Due(_("Paid in cash"), order.total)
    return Due(_("Cash to collect"), order.total, is_open=True)


def goods(order: Order) -> str:
    """All lines as one text: "2 × Huaniu apples, 5 kg box; 1 × Snow pears"."""
    return "; ".join(f"{line.quantity} × {line.title}" for line in order.lines.all())


def is_fetched(order: Order) -> bool:
    return order.delivery == Delivery.PICKUP


def masked_phone(phone: str) -> str:
    """The end of a phone number, for paper that others see: "…8000"."""
    return f"…{phone[-4:]}"
