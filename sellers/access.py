"""Who may act for a seller."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, has_role, is_signed_in, signed_in
from core.accounts.models import Role, User
from core.errors import NotFound
from sellers.models import Member, MemberRole, Seller

KEEPERS = (MemberRole.OWNER, MemberRole.HOST)


def is_member(user: AnyUser, seller: Seller, *roles: MemberRole) -> bool:
    """Whether the user is one of the seller's people; with `roles`, in one of these."""
    if not is_signed_in(user):
        return False
    memberships = Member.objects.filter(seller=seller, user=user)
    return (memberships.filter(role__in=roles) if roles else memberships).exists()


def acts_for(user: AnyUser, seller: Seller, *roles: MemberRole) -> bool:
    """As `is_member`; operators act for every seller."""
    return is_member(user, seller, *roles) or has_role(user, Role.OPERATOR)


def member_of(user: AnyUser, seller: Seller, *roles: MemberRole) -> User:
    """The user, if they act for the seller in one of `roles` (any, if none is named).

    Raises `SignInRequired`, or `NotFound`: strangers do not learn what a seller has.
    """
    person = signed_in(user)
    if not acts_for(person, seller, *roles):
        raise NotFound(_("There is nothing here, or it is not yours."))
    return person


def sellers_of(user: AnyUser, *roles: MemberRole) -> QuerySet[Seller]:
    """The sellers that the user acts for (operators: all), by name.

    Those for practice are in no list: who practises comes to theirs by its show.
    """
    sellers = Seller.objects.filter(is_sandbox=False).order_by("name", "pk")
    if not is_signed_in(user):
        return sellers.none()
    if has_role(user, Role.OPERATOR):
        return sellers
    memberships = Member.objects.filter(user=user)
    if roles:
        memberships = memberships.filter(role__in=roles)
    return sellers.filter(pk__in=memberships.values("seller"))
