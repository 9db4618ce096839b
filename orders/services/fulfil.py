"""How an order travels: packed, sent, delivered, or cancelled; by whose hand, and why."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import NotFound
from core.text import clean_line
from orders import access, reasons
from orders.models import ALLOWED_MOVES, Order, OrderState, PaymentMethod
from orders.payments import cash
from orders.services import refunds
from orders.services.moves import change_state, tell, too_late


@transaction.atomic
def move_order(
    order_id: UUID,
    to: OrderState,
    actor: User | None,
    *,
    reason: str = "",
    carrier: str = "",
    tracking_number: str = "",
) -> Order:
    """Move an order to another state; sending ships its stock, cancelling gives it back and pays
    back what was paid. `actor` None: the product, by itself.

    `carrier` and `tracking_number` go with "sent", and can be corrected by sending it again. Any
    other repeated click answers with the order as it is. Raises `NotFound` for strangers,
    `NotAllowed` for a move that is not this person's, `Conflict` if the order is past it, and
    `InvalidInput` for texts that are too long.
    """
    order = _order_of(actor, order_id)
    sources = _sources(actor, order, to)
    reason = clean_line(reason, "reason", longest=200, shortest=0)
    also = _also(to, carrier, tracking_number)
    if change_state(order, to, sources=sources, actor=actor, reason=reason, also=also):
        _settle_money(order, to, actor, reason)
    elif order.state != to:
        raise too_late(order)
    elif to == OrderState.SENT:
        _correct(order, also)
    return order


def _order_of(actor: User | None, order_id: UUID) -> Order:
    if actor is not None:
        return access.order_of(actor, order_id)
    order = Order.objects.select_related("seller", "buyer").filter(public_id=order_id).first()
    if order is None:
        raise NotFound(_("There is no such order, or it is not yours."))
    return order


def _sources(actor: User | None, order: Order, to: OrderState) -> frozenset[OrderState]:
    if actor is not None:
        return access.states_before(actor, order, to)
    return frozenset(state for state, moves in ALLOWED_MOVES.items() if to in moves)


def _also(to: OrderState, carrier: str, tracking_number: str) -> dict[str, object]:
    """Which further fields of the order a move sets."""
    if to == OrderState.PLACED:
        return {"payment_method": PaymentMethod.CASH_ON_DELIVERY, "held_until": None}
    parcel = {
        "carrier": clean_line(carrier, "carrier", longest=40, shortest=0),
        "tracking_number": clean_line(tracking_number, "tracking_number", longest=60, shortest=0),
    }
    return {name: text for name, text in parcel.items() if text and to == OrderState.SENT}


def _correct(order: Order, parcel: dict[str, object]) -> None:
    """Another carrier or number of a parcel that is on its way already."""
    changed = {name: text for name, text in parcel.items() if getattr(order, name) != text}
    if changed and Order.objects.filter(pk=order.pk, state=OrderState.SENT).update(**changed):
        order.refresh_from_db(fields=list(changed))
        tell(order)


def _settle_money(order: Order, to: OrderState, actor: User | None, reason: str) -> None:
    if to == OrderState.CANCELLED:
        refunds.pay_back_rest(order, reason=reason or reasons.CANCELLED, actor=actor)
    elif to == OrderState.DELIVERED and refunds.charge_of(order) is None:
        cash.take(order)
