"""Moving orders from the studio's pages: one, or as many as were ticked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import AppError
from orders.models import Order, OrderState
from orders.services.fulfil import move_order
from sellers.models import Seller


@dataclass(slots=True)
class Report:
    """What became of orders that were moved together: the number of each, and why it was not."""

    moved: list[str] = field(default_factory=list)
    already: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def move_all(
    sellers: Sequence[Seller], numbers: Iterable[str], to: OrderState, actor: User
) -> Report:
    """Move each order by itself: one that cannot be moved keeps no other from it.

    Numbers that are not the sellers' are said to be unknown.
    """
    report, wanted = Report(), list(dict.fromkeys(numbers))
    orders = Order.objects.filter(seller__in=sellers, number__in=wanted)
    known = {order.number: order for order in orders}
    for number in wanted:
        if number in known:
            _move(report, known[number], to, actor)
        else:
            report.refused.append((number, _("There is no such order, or it is not yours.")))
    return report


def _move(report: Report, order: Order, to: OrderState, actor: User) -> None:
    if order.state == to:
        report.already.append(order.number)
        return
    try:
        move_order(order.public_id, to, actor)
    except AppError as error:
        report.refused.append((order.number, error.message))
    else:
        report.moved.append(order.number)
