"""Likes: counted in this process since it started, told by `now`, never logged.

A like is worth less than a write; a restart begins at zero again.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from django.utils.translation import gettext as _

from core.errors import TooMany
from core.realtime.limits import RateLimit

_likes: Counter[UUID] = Counter()
_rate = RateLimit(burst=20, every_s=0.2)


def like(show_id: UUID, viewer_key: str) -> int:
    """Count a like; how many there are now. Raises `TooMany`."""
    wait_s = _rate.take(f"{show_id}:{viewer_key}")
    if wait_s:
        raise TooMany(_("That was a lot of likes. Thank you!"), retry_after=wait_s)
    _likes[show_id] += 1
    return _likes[show_id]


def likes(show_id: UUID) -> int:
    return _likes[show_id]
