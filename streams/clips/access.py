"""Who may do what with a clip of a show."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, signed_in
from core.accounts.models import User
from core.errors import NotAllowed, NotFound
from media_pipeline.models import Asset, AssetKind
from streams.access import RoomRole, may_host, role_in
from streams.models import Show


def clip_to_host(user: AnyUser, clip_id: UUID) -> tuple[User, Asset]:
    """The clip, for whoever may host its show.

    Raises `SignInRequired`, or `NotFound`: a clip's id tells a stranger nothing.
    """
    person = signed_in(user)
    clip = _clips().filter(public_id=clip_id).first()
    show = show_of(clip) if clip else None
    if clip is None or show is None or not may_host(person, show):
        raise NotFound(_("There is no such clip, or it is not yours."))
    return person, clip


def clip_to_agree(user: AnyUser, clip_id: UUID) -> tuple[User, Asset]:
    """The clip, for the seller's own people: nobody else can agree in their place.

    Raises as `clip_to_host`, and `NotAllowed` for operators.
    """
    person, clip = clip_to_host(user, clip_id)
    if not may_agree(person, clip):
        raise NotAllowed(
            _("Only the seller's own people can agree to this. Please ask them to do it.")
        )
    return person, clip


def may_agree(user: AnyUser, clip: Asset) -> bool:
    """Whether the user speaks for the seller: operators act for sellers, but do not for this."""
    show = show_of(clip)
    return show is not None and role_in(user, show) == RoomRole.HOST


def show_of(clip: Asset) -> Show | None:
    shows = Show.objects.select_related("seller", "host")
    return shows.filter(public_id=clip.recording.show_id).first()


def _clips() -> QuerySet[Asset]:
    return Asset.objects.select_related("recording").filter(kind=AssetKind.CLIP)
