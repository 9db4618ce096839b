"""What decides who comes into a room and how, looked up once and then followed in its log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from core.clock import now
from core.realtime.log import Entry
from streams.access import show_by_id
from streams.models import Ban, Mute
from streams.protocol import (
    ViewerBannedEvent,
    ViewerMutedEvent,
    ViewerUnbannedEvent,
    ViewerUnmutedEvent,
)

HOLDS = {
    ViewerMutedEvent.type: ("take", "mute"),
    ViewerUnmutedEvent.type: ("let go", "mute"),
    ViewerBannedEvent.type: ("take", "ban"),
    ViewerUnbannedEvent.type: ("let go", "ban"),
}
"""What an event does to those who are kept quiet or away."""


@dataclass(slots=True)
class Facts:
    """What decides who comes in and how, and when (monotonic) we looked.

    Of people by their public id: until when, `None` for good.
    """

    audience: str
    muted: dict[UUID, datetime | None]
    banned: dict[UUID, datetime | None]
    looked_at: float

    def is_fresh(self, for_s: float) -> bool:
        return time.monotonic() - self.looked_at <= for_s

    def apply(self, entry: Entry) -> None:
        held = {"mute": self.muted, "ban": self.banned}
        match HOLDS.get(entry.type):
            case ("take", kind):
                held[kind][UUID(str(entry.data["user_id"]))] = _until(entry.data.get("until"))
            case ("let go", kind):
                held[kind].pop(UUID(str(entry.data["user_id"])), None)


def facts_of(show_id: UUID) -> Facts:
    """What the database knows; raises `NotFound`."""
    began = time.monotonic()
    show = show_by_id(show_id)
    return Facts(
        audience=show.audience,
        muted=_people(Mute.objects.filter(show=show)),
        banned=_people(Ban.objects.filter(show=show)),
        looked_at=began,
    )


def holds(people: Mapping[UUID, datetime | None], person: UUID | None) -> bool:
    """Whether somebody is among these now."""
    if person is None or person not in people:
        return False
    until = people[person]
    return until is None or until > now()


def _people(rows: QuerySet[Mute] | QuerySet[Ban]) -> dict[UUID, datetime | None]:
    return dict(rows.values_list("user__public_id", "until"))


def _until(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
