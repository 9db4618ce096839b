"""Addresses that a buyer keeps for the next order."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, NotFound
from core.text import clean_line
from orders.delivery import clean_phone, clean_region
from orders.models import Address

MOST_KEPT = 50


def address_of(user: User, address_id: UUID) -> Address:
    """Raises `NotFound` for what is not this person's."""
    address = Address.objects.filter(user=user, public_id=address_id).first()
    if address is None:
        raise NotFound(_("There is no such address, or it is not yours."))
    return address


def keep_address(user: User, typed: Mapping[str, object], address: Address | None) -> Address:
    """Write an address down, or change one. One that is known already is kept once.

    It is the first in the list then. Raises `InvalidInput` naming the field, and `Conflict` for
    more than `MOST_KEPT`.
    """
    cleaned = {
        "name": clean_line(typed.get("name", ""), "name", longest=60),
        "phone": clean_phone(typed.get("phone", ""), "phone"),
        "region": clean_region(typed.get("region", ""), "region"),
        "address": clean_line(typed.get("address", ""), "address", longest=200, shortest=5),
    }
    if address is None and Address.objects.filter(user=user).count() >= MOST_KEPT:
        raise Conflict(_("You have kept enough addresses. Please remove one first."))
    try:
        return _write(user, cleaned, address)
    except IntegrityError:  # the same was kept at the same moment
        return Address.objects.get(user=user, **cleaned)


def forget_address(user: User, address_id: UUID) -> bool:
    """Remove it from the list; orders keep theirs. `False` if it was gone already."""
    deleted, _by_model = Address.objects.filter(user=user, public_id=address_id).delete()
    return deleted > 0


@transaction.atomic
def _write(user: User, cleaned: dict[str, str], address: Address | None) -> Address:
    known = Address.objects.filter(user=user, **cleaned).first()
    if known is not None and address is not None and known.pk != address.pk:
        address.delete()
    kept = known or address or Address(user=user)
    for name, value in cleaned.items():
        setattr(kept, name, value)
    kept.used_at = now()
    kept.save()
    return kept
