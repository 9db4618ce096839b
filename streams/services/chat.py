"""Chat: what may be said, by whom, how often, and how it is taken away again.

Each function checks, writes what the database has to know, and returns the entry for the room's
log, which the caller appends.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import NotAllowed, NotFound, TooMany
from core.realtime.limits import RateLimit
from core.realtime.log import NewEntry
from core.realtime.models import LogEntry
from core.text import clean_line
from streams import access
from streams.access import RoomRole
from streams.errors import Muted, ShowNotLive
from streams.models import Mute, Show, ShowState
from streams.protocol import ChatMessageEvent, ChatRemovedEvent, ViewerMutedEvent

LONGEST_TEXT = 500

_rate = RateLimit(burst=5, every_s=2.0)


def compose(*, show: Show, user: User, text: str, key: str | None = None) -> NewEntry:
    """What the user says in the show, as an entry; under the same `key`, as the same entry.

    Raises `ShowNotLive`, `Muted`, `InvalidInput` (field `text`) or `TooMany` with `retry_after`.
    """
    if show.state == ShowState.ENDED:
        raise ShowNotLive
    if access.is_muted(user, show):
        raise Muted
    said = clean_line(text, "text", longest=LONGEST_TEXT)
    role = access.role_in(user, show)
    message_id = _message_id(show, user, key) if key else None
    if role == RoomRole.VIEWER and not _is_said(show, message_id):
        _slow_down(show, user)
    return ChatMessageEvent(
        text=said,
        name=user.shown_name,
        user_id=user.public_id,
        role="viewer" if role == RoomRole.VIEWER else "host",
    ).entry(now(), fact_id=message_id)


def remove(*, show: Show, actor: User, seq: int) -> NewEntry:
    """Take the message at `seq` away, as an entry; raises `NotAllowed` or `NotFound`."""
    access.require_moderator(actor, show)
    message = LogEntry.objects.filter(topic=show.topic, seq=seq, type=ChatMessageEvent.type)
    if not message.exists():
        raise NotFound(_("There is no such message."), field="seq")
    return ChatRemovedEvent(seq=seq).entry(now(), removes=seq)


def mute(*, show: Show, actor: User, user_id: UUID) -> NewEntry:
    """Keep a viewer quiet in this show, as an entry; raises `NotAllowed` or `NotFound`."""
    access.require_moderator(actor, show)
    viewer = User.objects.filter(public_id=user_id).first()
    if viewer is None:
        raise NotFound(_("There is no such viewer."), field="user_id")
    if access.may_moderate(viewer, show):
        raise NotAllowed(_("The hosts of a show cannot be muted."), field="user_id")
    Mute.objects.get_or_create(show=show, user=viewer, defaults={"muted_by": actor})
    return ViewerMutedEvent(user_id=user_id).entry(now())


def _message_id(show: Show, user: User, key: str) -> UUID:
    """The log takes each id once. The person is part of it: nobody can use up another's keys."""
    return uuid5(show.public_id, f"{user.public_id}:{key}")


def _is_said(show: Show, message_id: UUID | None) -> bool:
    """Whether this is a message that we have: sending it again is no haste."""
    if message_id is None:
        return False
    return LogEntry.objects.filter(topic=show.topic, fact_id=message_id).exists()


def _slow_down(show: Show, user: User) -> None:
    wait_s = _rate.take(f"{show.pk}:{user.pk}")
    if wait_s:
        raise TooMany(_("Slowly, please: others want to be read too."), retry_after=wait_s)
