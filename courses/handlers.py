"""What courses do about facts."""

from __future__ import annotations

from uuid import UUID

from courses.services import learning
from media_pipeline.events import ClipWithdrawn


def lesson_taken_back(fact: ClipWithdrawn, fact_id: UUID) -> None:
    """Nobody must wait for ever for a lesson that is gone. Hearing it again changes nothing."""
    learning.complete_without(fact.asset_id)
