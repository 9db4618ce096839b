"""Which shows and sellers the studio opens for somebody; one show is `streams.access`'s matter."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, is_signed_in, signed_in
from core.errors import NotAllowed, NotFound
from media_pipeline.models import Recording
from sellers.access import KEEPERS, sellers_of
from sellers.models import Seller
from streams.access import may_host, require_moderator, require_replay, show_by_id
from streams.models import Show


def shows_of(user: AnyUser) -> QuerySet[Show]:
    """The shows that the user may host: of `access.may_host`, all that it would allow."""
    if not is_signed_in(user):
        return Show.objects.none()
    # Who was removed from the shop has filmed its shows, and hosts them no more.
    own = Q(host=user, seller__in=sellers_of(user))
    return Show.objects.filter(own | Q(seller__in=sellers_of(user, *KEEPERS), is_rehearsal=False))


def show_to_moderate(user: AnyUser, show_id: UUID) -> Show:
    """The show, for its host, its moderators and the operators.

    Raises `SignInRequired`, `NotFound` or `NotAllowed`.
    """
    person = signed_in(user)
    show = show_by_id(show_id)
    require_moderator(person, show)
    return show


def recording_to_cut(user: AnyUser, recording_id: UUID) -> Recording:
    """The recording, for whoever may host its show.

    Raises `SignInRequired`, `Conflict` for a rehearsal, or `NotFound`: a recording's id tells a
    stranger nothing.
    """
    person = signed_in(user)
    recording = Recording.objects.filter(public_id=recording_id).first()
    show = show_by_id(recording.show_id) if recording else None
    if recording is None or show is None or not may_host(person, show):
        raise NotFound(_("There is no such recording, or it is not yours."))
    require_replay(show)
    return recording


def schedulable_sellers(user: AnyUser) -> QuerySet[Seller]:
    """The sellers for whom the user may schedule shows, by name."""
    return sellers_of(signed_in(user), *KEEPERS)


def seller_to_schedule_for(user: AnyUser, seller_id: UUID | None) -> Seller:
    """The seller asked for, or the first of the user's.

    Raises `SignInRequired`, `NotAllowed` for those who host for nobody, `NotFound` for a seller
    who is not theirs.
    """
    sellers = schedulable_sellers(user)
    if not sellers.exists():
        raise NotAllowed(_("Shows are scheduled by a seller's owner or hosts."))
    seller = sellers.filter(public_id=seller_id).first() if seller_id else sellers.first()
    if seller is None:
        raise NotFound(_("There is no such seller, or it is not yours."))
    return seller
