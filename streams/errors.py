"""What can go wrong in a room.

Why somebody was muted or sent away is between those who keep order: no error has it.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.clock import iso_ms
from core.errors import Conflict, InvalidInput, NotAllowed, TooMany


class ShowNotLive(Conflict):
    """The show is over, so this cannot be done in it any more."""

    code = "show_not_live"

    def __init__(self) -> None:
        super().__init__(_("This show is over."))


class Muted(NotAllowed):
    """The viewer may watch and buy, but not chat."""

    code = "muted"

    def __init__(self, until: datetime | None = None) -> None:
        super().__init__(_("The host has muted you in this show."), details=_until(until))


class Banned(NotAllowed):
    """The viewer may not be in this show's room, nor order through it."""

    code = "banned"

    def __init__(self, until: datetime | None = None) -> None:
        super().__init__(_("The host has sent you away from this show."), details=_until(until))


class SlowMode(TooMany):
    """In this room everybody writes once every `every_s` seconds."""

    code = "slow_mode"

    def __init__(self, every_s: float, retry_after: float) -> None:
        message = ngettext(
            "Slow mode: one message every %(count)d second.",
            "Slow mode: one message every %(count)d seconds.",
            round(every_s),
        ) % {"count": round(every_s)}
        super().__init__(message, retry_after=retry_after, details={"every_s": every_s})


class BlockedWordSaid(InvalidInput):
    """The seller does not want this word in the chat. Which one is not told: lists can be rude."""

    code = "blocked_word"

    def __init__(self) -> None:
        message = _("Your message has a word that is not wanted here. Please write it differently.")
        super().__init__(message, field="text")


class LinksNotAllowed(NotAllowed):
    """A new account that has not ordered yet may not send links."""

    code = "links_not_allowed"

    def __init__(self, after_days: int) -> None:
        message = ngettext(
            "New accounts cannot send links: you can after your first order, or in %(count)d day.",
            "New accounts cannot send links: you can after your first order, or in %(count)d days.",
            after_days,
        ) % {"count": after_days}
        super().__init__(message, field="text", details={"after_days": after_days})


def _until(until: datetime | None) -> dict[str, object]:
    return {"until": iso_ms(until) if until else None}
