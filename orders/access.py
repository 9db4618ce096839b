"""Who may see an order, and who may move it where."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, signed_in
from core.accounts.models import User
from core.errors import NotAllowed, NotFound
from orders.models import ALLOWED_MOVES, Order, OrderState, PaymentState
from sellers.access import KEEPERS, acts_for
from sellers.models import CancelUntil

SELLER_MOVES = frozenset(
    {OrderState.PACKED, OrderState.SENT, OrderState.DELIVERED, OrderState.CANCELLED}
)
BEFORE_PACKING = frozenset({OrderState.HELD, OrderState.PLACED, OrderState.PAID})
NEVER: frozenset[OrderState] = frozenset()

Check = Callable[[User], None]
Guard = Callable[[UUID, Collection[User]], Check]
guards: list[Guard] = []
"""Who else must agree to orders through a show; `livecommerce.wiring` fills it.

A guard is given the show and all who order at once, inside of the transaction that places their
orders, and reads what it needs; what it returns is asked for each of them, and raises or not. What
a show is, and who may be in it, is not known down here.
"""


Door = Callable[[AnyUser, UUID], None]
doors: list[Door] = []
"""Who knows whether somebody may learn of a show at all: each raises `NotFound` or not."""


def require_to_know_of(user: AnyUser, show_id: UUID) -> None:
    for door in doors:
        door(user, show_id)


def checks_of(show_id: UUID, buyers: Collection[User]) -> list[Check]:
    """What every guard has to say about these buyers; each raises for who may not order."""
    return [guard(show_id, buyers) for guard in guards]


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

    The seller's people and operators pack, send, deliver and cancel, packers only what is not paid:
    cancelling pays back. A buyer cancels for as long as the seller lets buyers, confirms what came,
    and chooses cash instead of paying now. The rest happens by itself. Raises `NotAllowed` for a
    move that this person never makes.
    """
    person = signed_in(user)
    of_seller = _sellers_states(person, order, to)
    of_buyer = _buyers_states(order, to) if order.buyer_id == person.pk else NEVER
    if not of_seller | of_buyer:
        raise NotAllowed(_refusal(person, order, to))
    return of_seller | of_buyer


def _sellers_states(person: User, order: Order, to: OrderState) -> frozenset[OrderState]:
    if to not in SELLER_MOVES or not acts_for(person, order.seller):
        return NEVER
    states = frozenset(state for state, moves in ALLOWED_MOVES.items() if to in moves)
    if to != OrderState.CANCELLED or acts_for(person, order.seller, *KEEPERS):
        return states
    # The payment, too, may come between this look and the move.
    return NEVER if _is_paid(order) else states - {OrderState.PAID}


def _is_paid(order: Order) -> bool:
    return order.payments.filter(state=PaymentState.PAID, is_surplus=False).exists()


def _refusal(person: User, order: Order, to: OrderState) -> str:
    if to not in SELLER_MOVES:
        return _("You cannot do this.")
    if acts_for(person, order.seller):
        return _("Only the seller's owner or host can cancel an order that was paid.")
    return _("Only the seller can do this.")


def _buyers_states(order: Order, to: OrderState) -> frozenset[OrderState]:
    match to:
        case OrderState.CANCELLED:
            until_sent = order.seller.cancel_until == CancelUntil.SENT
            return BEFORE_PACKING | {OrderState.PACKED} if until_sent else BEFORE_PACKING
        case OrderState.DELIVERED:
            return frozenset({OrderState.SENT})
        case OrderState.PLACED if order.seller.takes_cash:
            return frozenset({OrderState.HELD})
        case _:
            return NEVER


def may_move(user: AnyUser, order: Order, to: OrderState) -> bool:
    """Whether this person may move the order `to` from where it is now."""
    try:
        return order.state in states_before(user, order, to)
    except NotAllowed:
        return False


def moves_of_seller(order: Order) -> frozenset[OrderState]:
    """Where the seller's people may move the order from where it is now."""
    return ALLOWED_MOVES[OrderState(order.state)] & SELLER_MOVES


def keeper_of(user: AnyUser, order: Order) -> User:
    """Who decides about the seller's money: owners, hosts, operators.

    Raises `NotFound` for strangers and `NotAllowed` for the buyer and the seller's packers.
    """
    person = signed_in(user)
    if acts_for(person, order.seller, *KEEPERS):
        return person
    if order.buyer_id == person.pk or acts_for(person, order.seller):
        raise NotAllowed(_("Only the seller's owner or host can do this."))
    raise NotFound(_("There is no such order, or it is not yours."))


def buyer_of(user: AnyUser, order: Order) -> User:
    """Who bought; raises `NotFound` for everybody else."""
    person = signed_in(user)
    if order.buyer_id != person.pk:
        raise NotFound(_("There is no such order, or it is not yours."))
    return person
