"""Facts about practice. `attempt_id` and `user_id` are public ids."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.outbox import Fact


class AttemptFact(Fact, frozen=True):
    """Something that happened to an attempt, in order with everything else about it."""

    attempt_id: UUID
    user_id: UUID
    at: datetime

    @property
    def topic(self) -> str:
        return f"practice:{self.attempt_id}"


class AttemptSubmitted(AttemptFact, frozen=True):
    """A trainee handed it in: a mentor looks at it next."""

    name: ClassVar[str] = "practice.AttemptSubmitted"


class AttemptDecided(AttemptFact, frozen=True):
    """A mentor said yes, or to try again."""

    name: ClassVar[str] = "practice.AttemptDecided"

    is_accepted: bool
