"""Facts about goods."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from core.outbox import Fact


class StockChanged(Fact, frozen=True):
    """A variant has this many to sell now. Readers keep the highest `version`."""

    name: ClassVar[str] = "sellers.StockChanged"

    variant_id: UUID
    available: int
    version: int

    @property
    def topic(self) -> str:
        return f"variant:{self.variant_id}"
