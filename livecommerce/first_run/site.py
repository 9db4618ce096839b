"""Changing later what the first-run page has set for the whole site."""

from __future__ import annotations

import os
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core.accounts.models import User
from core.errors import Conflict
from livecommerce.first_run import kept
from orders.models import Order
from sellers.models import DeliveryZone, Seller, Variant
from streams.access import require_operator


def values() -> dict[str, str]:
    """What holds, or will once the processes have started again."""
    held = {
        "name": settings.SITE_NAME,
        "language": settings.LANGUAGE_CODE,
        "currency": settings.CURRENCY,
        "time_zone": settings.TIME_ZONE,
    }
    written = kept.read(settings.DATA_ROOT)
    return {**held, **{name: written[name] for name in written if name not in fixed()}}


def fixed() -> dict[str, str]:
    """What the environment sets, by its variable: no page can change that."""
    return {name: one for name, one in kept.VARIABLES.items() if os.environ.get(one)}


def why_currency_stays() -> str:
    """What has an amount in the currency; empty where it can be changed."""
    if Order.objects.filter(seller__is_sandbox=False).exists():
        return _("There are orders in this currency: it cannot be changed any more.")
    fees = Q(base_fee_minor__gt=0) | Q(step_fee_minor__gt=0) | Q(free_from_minor__gt=0)
    if (
        Variant.objects.filter(product__seller__is_sandbox=False).exists()
        or DeliveryZone.objects.filter(fees).exists()
        or Seller.objects.filter(min_order_minor__gt=0).exists()
    ):
        return _("There are prices or fees in this currency. Remove them first, then change it.")
    return ""


def change(actor: User, wanted: Mapping[str, str]) -> bool:
    """Write what the site is called, speaks, counts and tells the time in; whether it changed.

    Processes take it up when they start again, which those of one supervisor do at once. What the
    environment sets stays. Raises `NotAllowed`, and `Conflict` for a currency that is in use.
    """
    require_operator(actor)
    before = values()
    after = {**before, **{name: wanted[name] for name in kept.NAMES if name not in fixed()}}
    if after == before:
        return False
    if after["currency"] != before["currency"]:
        _change_currency(before["currency"], after["currency"])
    # After the commit: who finds the file as it was can send the same again, and all is well.
    written = kept.read(settings.DATA_ROOT)
    changed = {name: after[name] for name in kept.NAMES if name not in fixed()}
    kept.write(settings.DATA_ROOT, {**written, **changed})
    return True


@transaction.atomic(durable=True)
def _change_currency(before: str, after: str) -> None:
    if why := why_currency_stays():
        raise Conflict(why)
    Seller.objects.filter(currency=before).update(currency=after)
