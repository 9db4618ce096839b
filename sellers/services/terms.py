"""On which terms a seller sells: the smallest order, ways to pay, until when buyers may cancel."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import InvalidInput
from sellers.access import KEEPERS, member_of
from sellers.models import CancelUntil, Seller
from sellers.services.catalogue import HIGHEST_PRICE_MINOR

HOLD_MINUTES = (5, 24 * 60)
REFUND_DAYS = (0, 365)


@dataclass(frozen=True, slots=True)
class Terms:
    """Amounts in minor units; `refund_days` 0: never; `cancel_until` a `CancelUntil`."""

    min_order_minor: int
    takes_cash: bool
    takes_online: bool
    hold_minutes: int
    cancel_until: str
    refund_days: int


@transaction.atomic
def change_terms(seller: Seller, actor: User, terms: Terms) -> Seller:
    """From the next order on. Raises `NotFound` for who does not keep the shop, `InvalidInput`."""
    member_of(actor, seller, *KEEPERS)
    _check(terms)
    fields = asdict(terms)
    for name, value in fields.items():
        setattr(seller, name, value)
    seller.save(update_fields=list(fields))
    return seller


def _check(terms: Terms) -> None:
    if not 0 <= terms.min_order_minor <= HIGHEST_PRICE_MINOR:
        raise InvalidInput(_("Please write an amount that somebody could pay."), field="min_order")
    if not (terms.takes_cash or terms.takes_online):
        raise InvalidInput(_("Choose at least one way to pay."), field="takes_cash")
    if not HOLD_MINUTES[0] <= terms.hold_minutes <= HOLD_MINUTES[1]:
        raise InvalidInput(_("Between 5 minutes and a day."), field="hold_minutes")
    if terms.cancel_until not in CancelUntil.values:
        raise InvalidInput(_("Please choose one of these."), field="cancel_until")
    if not REFUND_DAYS[0] <= terms.refund_days <= REFUND_DAYS[1]:
        raise InvalidInput(_("Between 0 and 365 days."), field="refund_days")
