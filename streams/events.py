"""Facts about shows. `show_id` and `offer_id` are public ids."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
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
    name: ClassVar[str] = "streams.ShowEnded"


class ProductPinned(ShowFact, frozen=True):
    name: ClassVar[str] = "streams.ProductPinned"

    offer_id: UUID


class ProductUnpinned(ShowFact, frozen=True):
    name: ClassVar[str] = "streams.ProductUnpinned"
