"""What practice does about facts."""

from __future__ import annotations

from uuid import UUID

from courses.practice import services
from streams.events import ShowEnded, ShowStarted


def begin(fact: ShowStarted, fact_id: UUID) -> None:
    """Of other shows there is no attempt. Hearing it again changes nothing."""
    services.began(fact.show_id, fact.at)


def end(fact: ShowEnded, fact_id: UUID) -> None:
    services.ended(fact.show_id, fact.at)
