"""What `livecommerce badges-key` says and does: the keys that sign certificates."""

from __future__ import annotations

from django.db.models import Count, Q

from courses.badges import issuing, keys
from courses.badges.models import SigningKey

NONE = "There is no key yet: the first is made when the first certificate becomes a badge."


def told() -> list[str]:
    """One line for each key, newest first."""
    held = Count("badges", filter=Q(badges__replaced_at=None))
    rows = list(SigningKey.objects.annotate(held=held).order_by("-pk"))
    signing = next((one for one in rows if one.withdrawn_at is None and keys.is_here(one)), None)
    return [_line(one, is_signing=one == signing) for one in rows] or [NONE]


def _line(row: SigningKey, *, is_signing: bool) -> str:
    state = "signs" if is_signing else "believed"
    if row.withdrawn_at:
        state = f"withdrawn on {row.withdrawn_at:%Y-%m-%d}"
    elif not keys.is_here(row):
        state = "believed; its private half is not on this machine"
    held = getattr(row, "held", 0)
    return f"{row.kid}  made {row.made_at:%Y-%m-%d}  badges {held:>5}  {state}"


def make() -> list[str]:
    """A new key, which signs from now on."""
    keys.make()
    return told()


def withdraw(kid: str) -> list[str]:
    """Believe this key no more, and sign with another one what it has signed."""
    keys.withdraw(kid)
    count = issuing.sign_again(kid)
    return [f"Signed {count} certificates again; their files have to be fetched anew.", *told()]
