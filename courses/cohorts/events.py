"""Facts about cohorts."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from core.outbox import Fact


class CohortMessageSent(Fact, frozen=True):
    """A facilitator wrote to a cohort, or to one in it. `message_id` is public."""

    name: ClassVar[str] = "cohorts.MessageSent"

    message_id: UUID
    at: datetime

    @property
    def topic(self) -> str:
        return f"cohort-message:{self.message_id}"
