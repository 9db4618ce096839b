"""Chat: what may be said, by whom, how often, and how it is taken away again.

Each function checks, writes what the database has to know, and returns the entry for the room's
log, which the caller appends.
"""

from __future__ import annotations

import re
import unicodedata
from uuid import UUID

from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import InvalidInput, NotAllowed, NotFound, TooMany
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
MOST_MARKS = 2  # on one letter: Vietnamese needs two
_JOINERS = "\u200c\u200d"
_JOINED = re.compile(f"(?<=[^\\s{_JOINERS}])[{_JOINERS}](?=[^\\s{_JOINERS}])")
_BLANK_LETTERS = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0\u2800"), " ")

_rate = RateLimit(burst=5, every_s=2.0)


def compose(*, show: Show, user: User, text: str) -> NewEntry:
    """What the user says in the show, as an entry.

    Raises `ShowNotLive`, `Muted`, `InvalidInput` (field `text`) or `TooMany` with `retry_after`.
    """
    if show.state == ShowState.ENDED:
        raise ShowNotLive
    if access.is_muted(user, show):
        raise Muted
    said = clean_text(text)
    role = access.role_in(user, show)
    if role == RoomRole.VIEWER:
        _slow_down(show, user)
    return ChatMessageEvent(
        text=said,
        name=user.shown_name,
        user_id=user.public_id,
        role="viewer" if role == RoomRole.VIEWER else "host",
    ).entry(now())


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


def clean_text(text: str) -> str:
    """One line that a person can read, or `InvalidInput`.

    Line breaks become spaces. Controls, overrides of the writing direction, invisible characters
    and piles of accents go; joiners stay where they join (emoji, Persian, Hindi).
    """
    folded = unicodedata.normalize("NFC", text).translate(_BLANK_LETTERS)
    joins = {found.start() for found in _JOINED.finditer(folded)}
    shown = "".join(
        char for place, char in enumerate(folded) if place in joins or not _is_invisible(char)
    )
    line = clean_line(_without_piles(shown), "text", longest=LONGEST_TEXT)
    if not any(unicodedata.category(char)[0] in "LNPS" for char in line):
        raise InvalidInput(_("Please write something that can be seen."), field="text")
    return line


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in {"Cf", "Co"}


def _without_piles(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        if marks <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def _slow_down(show: Show, user: User) -> None:
    wait_s = _rate.take(f"{show.pk}:{user.pk}")
    if wait_s:
        raise TooMany(_("Slowly, please: others want to be read too."), retry_after=wait_s)
