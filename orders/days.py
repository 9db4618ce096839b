"""Days of the site's calendar: what sellers filter and add up by."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

FIRST, LAST = date(1900, 1, 1), date(9990, 12, 31)
"""Nobody ordered before or after; beyond, midnight has no place in another zone's calendar."""


def between(since: date | None, until: date | None) -> Q:
    """Orders of the days from `since` to `until`, both included, as the site counts days."""
    wanted = Q()
    if since is not None:
        wanted &= Q(placed_at__gte=start_of(since))
    if until is not None:
        wanted &= Q(placed_at__lt=start_of(min(until, LAST) + timedelta(days=1)))
    return wanted


def start_of(day: date) -> datetime:
    """Midnight of the day in the site's zone."""
    known = min(max(day, FIRST), LAST)
    return datetime.combine(known, time.min, tzinfo=timezone.get_current_timezone())
