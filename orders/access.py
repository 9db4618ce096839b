"""Who may see an order, and who may move it where."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, signed_in
from core.accounts.models import User
from core.errors import NotAllowed, NotFound
from orders.models import ALLOWED_MOVES, Order, OrderState
from sellers.access import acts_for

BUYER_MOVES = {OrderState.CANCELLED: frozenset({OrderState.PLACED})}

Guard = Callable[[User, UUID], None]
guards: list[Guard] = []
"""Who else must agree to an order through a show, by raising or not; `livecommerce.wiring` fills
it. What a show is, and who may be in it, is not known down here."""


def require_may_order(buyer: User, show_id: UUID) -> None:
    """Raises what a guard raises."""
    for guard in guards:
        guard(buyer, show_id)


def order_of(user: AnyUser, order_id: UUID) -> Order:
    """The order, for its buyer, the seller's people and operators.

    Raises `SignInRequired`, or `NotFound` for everybody else.
    """
    person = signed_in(user)
    order = (
        Order.objects.select_related("seller", "buyer", "pickup_point")
        .filter(public_id=order_id)
        .first()
    )
    if order is None or not (order.buyer_id == person.pk or acts_for(person, order.seller)):
        raise NotFound(_("There is no such order, or it is not yours."))
    return order


def states_before(user: AnyUser, order: Order, to: OrderState) -> frozenset[OrderState]:
    """The states from which this person may move the order `to`.

    The seller's people and operators make every allowed move; a buyer may take back what nobody
    has packed yet. Raises `NotAllowed` for a move that this person never makes.
    """
    if acts_for(user, order.seller):
        return frozenset(state for state, moves in ALLOWED_MOVES.items() if to in moves)
    if to not in BUYER_MOVES:
        raise NotAllowed(_("Only the seller can do this."))
    return BUYER_MOVES[to]


def may_move(user: AnyUser, order: Order, to: OrderState) -> bool:
    """Whether this person may move the order `to` from where it is now."""
    try:
        return order.state in states_before(user, order, to)
    except NotAllowed:
        return False


def moves_of_seller(order: Order) -> frozenset[OrderState]:
    """Where the seller's people may move the order from where it is now."""
    return ALLOWED_MOVES[OrderState(order.state)]
