"""What courses do about facts."""

from __future__ import annotations

from uuid import UUID

from courses.services import editions, learning
from media_pipeline.events import ClipReady, ClipWithdrawn


def lesson_taken_back(fact: ClipWithdrawn, fact_id: UUID) -> None:
    """Nobody must wait for ever for a lesson that is gone. Hearing it again changes nothing."""
    learning.complete_without(fact.asset_id)


def lesson_ready(fact: ClipReady, fact_id: UUID) -> None:
    """What its authors have asked to publish goes out with its last clip."""
    editions.clip_is_ready(fact.asset_id)
