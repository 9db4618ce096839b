"""What reviews do about facts: people hear of what was said to them, wherever they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from core.realtime import runtime
from courses.practice.events import AttemptDecided
from courses.reviews.events import ReviewAnswered
from streams.me_consumer import PREFIX
from streams.me_protocol import PracticeReviewed


def tell_decided(fact: AttemptDecided, fact_id: UUID) -> None:
    verdict: Literal["accepted", "again"] = "accepted" if fact.is_accepted else "again"
    _tell(fact.user_id, PracticeReviewed(fact.attempt_id, verdict), fact.at, fact_id)


def tell_answered(fact: ReviewAnswered, fact_id: UUID) -> None:
    _tell(fact.user_id, PracticeReviewed(fact.attempt_id, "answered"), fact.at, fact_id)


def _tell(user_id: UUID, event: PracticeReviewed, at: datetime, fact_id: UUID) -> None:
    runtime.current().log.append_blocking(f"{PREFIX}:{user_id}", [event.entry(at, fact_id=fact_id)])
