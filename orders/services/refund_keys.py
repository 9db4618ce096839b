"""A repeated request to pay money back is told from another one under the same key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from django.utils.translation import gettext as _

from orders.errors import KeyReused
from orders.models import Payment, Refund

LONGEST = 64


def kept(key: str) -> str:
    """A key as its column has room for it; cut short, it would be the same as another one."""
    return key if len(key) <= LONGEST else hashlib.sha256(key.encode()).hexdigest()


def digest(amount_minor: int, reason: str, returned: Mapping[int, int]) -> str:
    """Equal for equal requests; `returned`: pieces by line's primary key."""
    asked = msgspec.json.encode([amount_minor, reason, sorted(returned.items())])
    return hashlib.sha256(asked).hexdigest()


def known(charge: Payment, key: str, amount_minor: int, request_hash: str = "") -> Refund | None:
    """The refund that was made under this key; raises `KeyReused` if it is another one's.

    One without a `request_hash` was asked for by the product, or before there were any.
    """
    made = Refund.objects.filter(payment=charge, key=kept(key)).first()
    if made is None:
        return None
    if made.amount_minor != amount_minor or made.request_hash not in {"", request_hash}:
        raise KeyReused(_("This was already paid back, and differently."))
    return made
