"""What shows are called. What a show is, is not known down here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format


class ShowName(NamedTuple):
    """A show's title and when it began, or is to begin: farmers give many shows one title."""

    title: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.title} ({date_format(timezone.localtime(self.at), 'DATE_FORMAT')})"


Namer = Callable[[Collection[UUID]], Mapping[UUID, ShowName]]
namers: list[Namer] = []
"""Who knows shows by their public ids; `livecommerce.wiring` fills it."""


def names_of(show_ids: Collection[UUID]) -> dict[UUID, ShowName]:
    """The names of those shows that are known; a show may have been deleted."""
    return {show_id: name for namer in namers for show_id, name in namer(show_ids).items()}
