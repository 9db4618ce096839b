"""Who may watch, host and moderate a show. Pages, API and sockets all ask here."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from django.utils.translation import gettext as _

from core.accounts.access import AnyUser, has_role, is_signed_in, signed_in
from core.accounts.models import Role, User
from core.errors import NotAllowed, NotFound
from sellers.access import KEEPERS, is_member
from streams.models import Audience, Mute, Show


class RoomRole(StrEnum):
    """What somebody is in one room."""

    VIEWER = "viewer"
    HOST = "host"
    OPERATOR = "operator"


def show_by_id(show_id: UUID) -> Show:
    """The show with this public id; raises `NotFound`. Says nothing about who may see it."""
    show = Show.objects.select_related("seller", "host").filter(public_id=show_id).first()
    if show is None:
        raise NotFound(_("There is no such show."))
    return show


def show_to_watch(user: AnyUser, show_id: UUID) -> Show:
    """The show, if the user may watch it.

    Anyone may watch a public show, whoever has the link an unlisted one. A show by invitation
    raises `SignInRequired` for a stranger and `NotAllowed` for somebody who is not invited.
    """
    show = show_by_id(show_id)
    if show.audience == Audience.INVITED and not may_moderate(signed_in(user), show):
        raise NotAllowed(_("This show is by invitation only."))
    return show


def show_to_host(user: AnyUser, show_id: UUID) -> Show:
    """The show, if the user may host it; raises `SignInRequired`, `NotFound` or `NotAllowed`."""
    person = signed_in(user)
    show = show_to_watch(person, show_id)
    require_host(person, show)
    return show


def role_in(user: AnyUser, show: Show) -> RoomRole:
    if _is_host(user, show):
        return RoomRole.HOST
    return RoomRole.OPERATOR if has_role(user, Role.OPERATOR) else RoomRole.VIEWER


def may_host(user: AnyUser, show: Show) -> bool:
    """The show's host, who keeps the seller's shop, and the operators, who act for every seller."""
    return role_in(user, show) != RoomRole.VIEWER


def may_moderate(user: AnyUser, show: Show) -> bool:
    """Today whoever may host a show also keeps order in it."""
    return may_host(user, show)


def require_host(user: AnyUser, show: Show) -> User:
    """The user, if they may host the show; raises `SignInRequired` or `NotAllowed`."""
    person = signed_in(user)
    if not may_host(person, show):
        raise NotAllowed(_("Only the host of this show can do that."))
    return person


def require_moderator(user: AnyUser, show: Show) -> User:
    """The user, if they may moderate the show; raises `SignInRequired` or `NotAllowed`."""
    person = signed_in(user)
    if not may_moderate(person, show):
        raise NotAllowed(_("Only the host or a moderator can do that."))
    return person


def is_muted(user: AnyUser, show: Show) -> bool:
    return is_signed_in(user) and Mute.objects.filter(show=show, user=user).exists()


def _is_host(user: AnyUser, show: Show) -> bool:
    if not is_signed_in(user):
        return False
    return show.host_id == user.pk or is_member(user, show.seller, *KEEPERS)
