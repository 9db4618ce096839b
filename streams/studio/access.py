"""Who runs a show from the studio."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, has_role, is_signed_in, signed_in
from core.accounts.models import Role
from core.errors import NotAllowed, NotFound
from sellers.access import KEEPERS, sellers_of
from sellers.models import Member, MemberRole, Seller
from streams.models import Show


def shows_of(user: AnyUser) -> QuerySet[Show]:
    """The shows that the user runs: those that they host, their own sellers', operators all."""
    if not is_signed_in(user):
        return Show.objects.none()
    if has_role(user, Role.OPERATOR):
        return Show.objects.all()
    owned = Member.objects.filter(user=user, role=MemberRole.OWNER).values("seller")
    return Show.objects.filter(Q(host=user) | Q(seller__in=owned))


def show_to_run(user: AnyUser, show_id: UUID) -> Show:
    """The show, if the user runs it; raises `SignInRequired`, or `NotFound` for strangers."""
    person = signed_in(user)
    show = shows_of(person).select_related("seller", "host").filter(public_id=show_id).first()
    if show is None:
        raise NotFound(_("There is no such show, or it is not yours."))
    return show


def show_of_recording(user: AnyUser, recording_show_id: UUID | None) -> Show:
    """The show of a recording that the user may cut; raises like `show_to_run`."""
    signed_in(user)
    if recording_show_id is None:
        raise NotFound(_("There is no such recording, or it is not yours."))
    return show_to_run(user, recording_show_id)


def schedulable_sellers(user: AnyUser) -> QuerySet[Seller]:
    """The sellers for whom the user may schedule shows, by name."""
    return sellers_of(signed_in(user), *KEEPERS)


def seller_to_schedule_for(user: AnyUser, seller_id: UUID | None) -> Seller:
    """The seller asked for, or the first; raises `NotAllowed` for those who host for nobody."""
    sellers = schedulable_sellers(user)
    if not sellers.exists():
        raise NotAllowed(_("Shows are scheduled by a seller's owner or hosts."))
    seller = sellers.filter(public_id=seller_id).first() if seller_id else sellers.first()
    if seller is None:
        raise NotFound(_("There is no such seller, or it is not yours."))
    return seller
