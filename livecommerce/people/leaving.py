"""Deleting one's account: what stands in the way, and what is left behind.

Orders stay, because sellers have to keep their books, and shows do; neither says any more whose
they were. What the person wrote in rooms goes.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts import services
from core.accounts.models import Invitation, Role, RoleGrant, User
from core.errors import Conflict, InvalidInput
from courses.badges import terms
from courses.practice import services as practice
from livecommerce.people import traces
from orders.models import Order, OrderState
from orders.selectors import orders_under_way
from sellers.services.people import owned_alone
from streams.models import Show, ShowState


class StillNeeded(Conflict):
    """Others would be left without somebody; the message says what to do first."""

    code = "still_needed"


def obstacles(user: User) -> list[str]:
    """What to do first, each in a sentence."""
    first = [
        _("You are the only owner of %(seller)s. Ask an operator to make somebody else its owner.")
        % {"seller": seller.name}
        for seller in owned_alone(user)
    ]
    if _is_last_operator(user):
        first.append(_("You are the only operator. Make somebody else one first."))
    if Show.objects.filter(host=user, state=ShowState.LIVE).exists():
        first.append(_("You are live. End your show first."))
    if _has_open_orders(user):
        first.append(_("You have orders under way. Wait until they are there, or cancel them."))
    return first


def leave(user: User, password: str, *, sure: bool) -> None:
    """Delete the account; raises `StillNeeded`, or `InvalidInput` without a yes or the password."""
    if not sure:
        raise InvalidInput(_("Please say that you are sure."), field="sure")
    if user.has_usable_password() and not user.check_password(password):
        raise InvalidInput(_("That is not your password."), field="password")
    with transaction.atomic():
        # Two last operators do not leave at once: each waits here for the other.
        list(RoleGrant.objects.select_for_update().filter(role=Role.OPERATOR).order_by("pk"))
        user = User.objects.select_for_update().get(pk=user.pk)
        if first := obstacles(user):
            raise StillNeeded(first[0])
        _forget_everywhere(user)


def _forget_everywhere(user: User) -> None:
    traces.remove(user)
    user.addresses.all().delete()
    user.memberships.all().delete()
    user.stream_keys.all().delete()
    practice.forget(user)
    user.enrolments.filter(certificate=None).delete()
    terms.forget(user)
    Invitation.objects.filter(used_by=user).update(name="")
    services.forget(user)


def _is_last_operator(user: User) -> bool:
    operators = RoleGrant.objects.filter(role=Role.OPERATOR, user__is_active=True)
    is_one = operators.filter(user=user).exists()
    return is_one and not operators.exclude(user=user).exists()


def _has_open_orders(user: User) -> bool:
    held = Order.objects.filter(buyer=user, state=OrderState.HELD)
    return held.exists() or orders_under_way(user.public_id).exists()
