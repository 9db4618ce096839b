"""Facts about shows. `show_id` and `offer_id` are public ids."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from core.outbox import Fact


class ShowFact(Fact, frozen=True):
    """Something that happened to a show, in order with everything else about it."""

    show_id: UUID
    at: datetime

    @property
    def topic(self) -> str:
        return f"show:{self.show_id}"


class ShowStarted(ShowFact, frozen=True):
    name: ClassVar[str] = "streams.ShowStarted"


class ShowInterrupted(ShowFact, frozen=True):
    """The camera is away; the room stays open."""

    name: ClassVar[str] = "streams.ShowInterrupted"


class ShowResumed(ShowFact, frozen=True):
    name: ClassVar[str] = "streams.ShowResumed"


class ShowEnded(ShowFact, frozen=True):
    """`is_stop` says that an operator ended it."""

    name: ClassVar[str] = "streams.ShowEnded"

    is_stop: bool = False


class ShowReviewed(ShowFact, frozen=True):
    """An operator said yes or no to a show that waited; `reason` is that of a no."""

    name: ClassVar[str] = "streams.ShowReviewed"

    is_yes: bool
    reason: str = ""


class ProductPinned(ShowFact, frozen=True):
    name: ClassVar[str] = "streams.ProductPinned"

    offer_id: UUID


class ProductUnpinned(ShowFact, frozen=True):
    name: ClassVar[str] = "streams.ProductUnpinned"


class RoomModerated(ShowFact, frozen=True):
    """Somebody kept order in a show's room: who did what, to whom and why, with names.

    `action` is one of "mute", "unmute", "ban", "unban", "slow_mode", "pin", "unpin", "remove",
    "restore", "answer", "unanswer", "block_word" and "allow_word"; `details` has what is told
    besides: `every_s` of the slow mode, the message that was pinned, the `word`, and the
    `message_id` of the one that was taken away or brought back.
    """

    name: ClassVar[str] = "streams.RoomModerated"

    action: str
    actor: str
    viewer: str = ""
    user_id: UUID | None = None
    reason: str = ""
    until: datetime | None = None
    details: dict[str, Any] = {}
