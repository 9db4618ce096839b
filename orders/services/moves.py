"""The one place in which an order's state changes once it was placed.

Locks are taken in one order everywhere: the order's row, then offers, then stock, each by primary
key. The callers decide who may; here the state that the row has by then does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Q
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import Conflict
from core.failpoints import failpoint
from orders.events import OrderMoved
from orders.models import GONE, Order, OrderMove, OrderState
from orders.services import counters


def lock_order(order_id: int) -> Order:
    """The order's row (primary key), ours until the transaction ends."""
    return (
        Order.objects.select_related("seller", "buyer")
        .select_for_update(of=("self",))
        .get(pk=order_id)
    )


def change_state(
    order: Order,
    to: OrderState,
    *,
    sources: Iterable[OrderState],
    actor: User | None,
    reason: str = "",
    only_if: Q | None = None,
    also: Mapping[str, object] | None = None,
) -> bool:
    """Move the order if it is in one of `sources` and `only_if` holds, with all that follows from
    it: the move is written down and told, goods leave or come back. `also` sets further fields.

    `False`, and nothing done, if it is elsewhere by now; `order` is read again either way. Inside
    of the caller's transaction. `actor` None: the product, by itself.
    """
    condition = Q(pk=order.pk, state__in=list(sources)) & (only_if or Q())
    moved = Order.objects.filter(condition).update(state=to, **(also or {}))
    order.refresh_from_db(fields=["state", *(also or ())])
    if moved:
        _write_down(order, to, actor, reason)
        _move_goods(order, to, actor)
        failpoint(f"orders.after_{OrderState(to).value}")
    return moved == 1


def tell(order: Order) -> None:
    """Tell that the order changed, in the caller's transaction."""
    outbox.publish(
        OrderMoved(
            order_id=order.public_id,
            number=order.number,
            seller_id=order.seller.public_id,
            show_id=order.show_id,
            buyer_id=order.buyer.public_id,
            state=order.state,
            at=now(),
        )
    )


def too_late(order: Order) -> Conflict:
    """The order is past what somebody wanted to do with it."""
    state = OrderState(order.state).label
    return Conflict(_("This order is already %(state)s.") % {"state": state}, field="to")


def _write_down(order: Order, to: OrderState, actor: User | None, reason: str) -> None:
    OrderMove.objects.create(order=order, state=to, actor=actor, reason=reason, at=now())
    tell(order)


def _move_goods(order: Order, to: OrderState, actor: User | None) -> None:
    if to in GONE:
        counters.give_back(order, actor=actor)
    elif to == OrderState.SENT:
        counters.ship(order, actor=actor)
