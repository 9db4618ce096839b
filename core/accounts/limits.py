"""How often somebody may do something, counted in the database: for all processes together."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext as _

from core.accounts.models import Allowance
from core.clock import now
from core.errors import TooMany

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def take(what: str, who: str, *, most: int, per_s: int) -> None:
    """Count one more, of `most` in each stretch of `per_s` seconds; raises `TooMany`."""
    moment = int(now().timestamp())
    stretch = moment // per_s
    ends_at = datetime.fromtimestamp((stretch + 1) * per_s, UTC)
    key = _key(what, who, per_s, stretch)
    Allowance.objects.get_or_create(key=key, defaults={"ends_at": ends_at})
    if not Allowance.objects.filter(key=key, used__lt=most).update(used=F("used") + 1):
        wait_s = ends_at.timestamp() - moment
        raise TooMany(_("That was asked for too often. Please wait a while."), retry_after=wait_s)


def forget_old() -> None:
    Allowance.objects.filter(ends_at__lt=now()).delete()


def _key(what: str, who: str, per_s: int, stretch: int) -> str:
    """Nobody who reads the table learns whose number or address it is."""
    text = f"{what} {who} {per_s} {stretch}"
    return hmac.digest(settings.SECRET_KEY.encode(), text.encode(), "sha256").hex()
