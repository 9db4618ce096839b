"""Whose orders the studio opens, and who may touch their money."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, signed_in
from core.errors import NotFound
from orders.models import Order
from sellers.access import KEEPERS, acts_for, sellers_of
from sellers.models import MemberRole, Seller


def sellers_for(user: AnyUser, *roles: MemberRole) -> list[Seller]:
    """The sellers whose people the user is, in one of `roles` if any is named.

    Raises `SignInRequired`, or `NotFound` for who sells nothing.
    """
    sellers = list(sellers_of(signed_in(user), *roles))
    if not sellers:
        raise _nothing_here()
    return sellers


def order_to_send(user: AnyUser, order_id: UUID) -> Order:
    """The order, for its seller's people and operators; its buyer has another page.

    Raises `SignInRequired`, or `NotFound` for everybody else.
    """
    person = signed_in(user)
    order = (
        Order.objects.select_related("seller", "buyer", "pickup_point")
        .filter(public_id=order_id)
        .first()
    )
    if order is None or not acts_for(person, order.seller):
        raise _nothing_here()
    return order


def may_pay_back(user: AnyUser, order: Order) -> bool:
    return acts_for(user, order.seller, *KEEPERS)


def _nothing_here() -> NotFound:
    return NotFound(_("There is nothing here, or it is not yours."))
