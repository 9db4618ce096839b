"""What a host has tried out before the first show: remembered, because nothing else tells of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from core.accounts.models import User
from core.clock import now
from sellers.models import Seller
from streams.models import Readiness, Show

TRIALS = {"camera": "camera_at", "network": "uplink_at"}
"""What the console tries, by its name there."""


def readiness_of(seller: Seller, host: User) -> Readiness:
    """What is known of this host; not stored while nothing is."""
    found = Readiness.objects.filter(seller=seller, host=host).first()
    return found or Readiness(seller=seller, host=host)


def note_passed(show: Show, host: User, trials: Collection[str]) -> None:
    """These of `TRIALS` have passed now; others are no news."""
    moment = now()
    passed = {field: moment for name, field in TRIALS.items() if name in trials}
    if passed:
        _note(show.seller, host, **passed)


def note_rehearsed(show: Show, at: datetime) -> None:
    """A rehearsal had a picture."""
    _note(show.seller, show.host, rehearsed_at=at)


def show_list(seller: Seller, host: User, *, wanted: bool) -> None:
    """The host wants to see the list for the first show, or not, whatever it says."""
    _note(seller, host, shows_list=wanted)


def _note(seller: Seller, host: User, **values: object) -> None:
    Readiness.objects.update_or_create(seller=seller, host=host, defaults=values)
