"""How an order travels: packed, sent, delivered, or cancelled."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import Conflict
from orders import access
from orders.events import OrderMoved
from orders.models import Order, OrderMove, OrderState
from sellers.services import stock


@transaction.atomic
def move_order(order_id: UUID, to: OrderState, actor: User) -> Order:
    """Move an order to another state; sending ships its stock, cancelling gives it back.

    A repeated click answers with the order as it is. Raises `NotFound` for strangers, `NotAllowed`
    for a move that is not this person's, `Conflict` if the order is past it.
    """
    order = access.order_of(actor, order_id)
    sources = access.states_before(actor, order, to)
    moved = Order.objects.filter(pk=order.pk, state__in=sources).update(state=to)
    order.refresh_from_db(fields=["state"])
    if moved:
        _follow(order, to, actor)
    elif order.state != to:
        raise _too_late(order)
    return order


def _follow(order: Order, to: OrderState, actor: User) -> None:
    """What a move brings with it, in its transaction."""
    at = now()
    OrderMove.objects.create(order=order, state=to, actor=actor, at=at)
    outbox.publish(
        OrderMoved(
            order_id=order.public_id,
            seller_id=order.seller.public_id,
            show_id=order.show_id,
            buyer_id=order.buyer.public_id,
            state=to.value,
            at=at,
        )
    )
    _move_stock(order, to, actor)


def _move_stock(order: Order, to: OrderState, actor: User) -> None:
    change = {OrderState.SENT: stock.ship, OrderState.CANCELLED: stock.release}.get(to)
    if change is None:
        return
    # In the variants' order, so that two orders of the same goods never wait for each other.
    for line in order.lines.select_related("variant").order_by("variant_id"):
        change(line.variant.public_id, line.quantity, order_id=order.public_id, actor=actor)


def _too_late(order: Order) -> Conflict:
    state = OrderState(order.state).label
    return Conflict(_("This order is already %(state)s.") % {"state": state}, field="to")
