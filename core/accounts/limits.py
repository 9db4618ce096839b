"""How often somebody may do something, counted in the database: for all processes together."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.accounts.models import Allowance
from core.clock import now
from core.errors import TooMany

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def take(what: str, who: str, *, most: int, per_s: int) -> None:
    """Take one of the `most` places that `who` has in any `per_s` seconds; raises `TooMany`.

    A place is free again `per_s` seconds after it was taken. (Counted by the hour of the clock,
    ten could be taken within a minute: five before the full hour, and five after it.)
    """
    keys = [_key(what, who, per_s, place) for place in range(most)]
    ends = dict(Allowance.objects.filter(key__in=keys).values_list("key", "ends_at"))
    free = [key for key in keys if key not in ends or ends[key] <= now()]
    until = now() + timedelta(seconds=per_s)
    if not any(_took(key, until, is_new=key not in ends) for key in free):
        raise _too_many(min(ends.values(), default=until))


def look(what: str, who: str, *, most: int, per_s: int) -> None:
    """Raises `TooMany` where none of the places is free, and takes none: for what may go well."""
    keys = [_key(what, who, per_s, place) for place in range(most)]
    taken = Allowance.objects.filter(key__in=keys, ends_at__gt=now())
    ends = list(taken.values_list("ends_at", flat=True))
    if len(ends) >= most:
        raise _too_many(min(ends))


def _too_many(free_at: datetime) -> TooMany:
    wait_s = max(1, round((free_at - now()).total_seconds()))
    return TooMany(_("That was asked for too often. Please wait a while."), retry_after=wait_s)


def forget_old() -> None:
    Allowance.objects.filter(ends_at__lt=now()).delete()


def _took(key: str, until: datetime, *, is_new: bool) -> bool:
    """Whether the place was still free: somebody else may have taken it since it was looked at."""
    if not is_new:
        return bool(Allowance.objects.filter(key=key, ends_at__lte=now()).update(ends_at=until))
    try:
        with transaction.atomic():
            Allowance.objects.create(key=key, ends_at=until)
    except IntegrityError:
        return False
    return True


def _key(what: str, who: str, per_s: int, place: int) -> str:
    """Nobody who reads the table learns whose number or address it is."""
    text = f"{what} {who} {per_s} {place}"
    return hmac.digest(settings.SECRET_KEY.encode(), text.encode(), "sha256").hex()
