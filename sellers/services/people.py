"""A seller's people: who joins, what they may do, who goes. Somebody always owns the shop."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict
from sellers.models import Member, MemberRole, Seller


class LastOwner(Conflict):
    """Without this person nobody would own the shop."""

    code = "last_owner"


def add_member(seller: Seller, user: User, role: MemberRole) -> None:
    """Give a role; an owner also hosts. Giving it twice is giving it once."""
    roles = {role, MemberRole.HOST} if role == MemberRole.OWNER else {role}
    for one in sorted(roles):
        Member.objects.get_or_create(seller=seller, user=user, role=one)


@transaction.atomic
def set_role(seller: Seller, user: User, role: MemberRole) -> None:
    """This role instead of those before; raises `LastOwner`."""
    _hold(seller)
    if role != MemberRole.OWNER:
        _keep_an_owner(seller, user)
    add_member(seller, user, role)
    kept = {role, MemberRole.HOST} if role == MemberRole.OWNER else {role}
    Member.objects.filter(seller=seller, user=user).exclude(role__in=kept).delete()


@transaction.atomic
def remove_member(seller: Seller, user: User) -> None:
    """Take all roles away; raises `LastOwner`."""
    _hold(seller)
    _keep_an_owner(seller, user)
    Member.objects.filter(seller=seller, user=user).delete()


def owned_alone(user: User) -> list[Seller]:
    """The shops that nobody else owns, by name."""
    owned = Seller.objects.filter(
        members__user=user, members__role=MemberRole.OWNER, is_sandbox=False
    )
    return [one for one in owned.order_by("name", "pk") if not _other_owners(one, user)]


def _hold(seller: Seller) -> None:
    """Two owners who remove each other at once shall not both succeed."""
    Seller.objects.select_for_update().get(pk=seller.pk)


def _keep_an_owner(seller: Seller, user: User) -> None:
    is_owner = Member.objects.filter(seller=seller, user=user, role=MemberRole.OWNER).exists()
    if is_owner and not _other_owners(seller, user):
        problem = _("%(name)s is the only owner of %(seller)s. Make somebody else an owner first.")
        raise LastOwner(problem % {"name": user.shown_name, "seller": seller.name})


def _other_owners(seller: Seller, user: User) -> bool:
    owners = Member.objects.filter(seller=seller, role=MemberRole.OWNER, user__is_active=True)
    return owners.exclude(user=user).exists()
