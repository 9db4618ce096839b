"""Facts about reviews. `attempt_id`, `user_id` and `author_id` are public ids."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.outbox import Fact


class ReviewAnswered(Fact, frozen=True):
    """Something was said about a sent review; `user_id` is who is to hear of it."""

    name: ClassVar[str] = "reviews.ReviewAnswered"

    attempt_id: UUID
    user_id: UUID
    author_id: UUID
    at: datetime

    @property
    def topic(self) -> str:
        return f"practice:{self.attempt_id}"
