"""Payment services behind one small interface, and which of them this instance has."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy

from core.errors import NotFound
from orders.payments import cash
from orders.payments.interface import Provider
from sellers.models import Seller

LABELS = {cash.NAME: gettext_lazy("in cash"), "stripe": "Stripe"}


def providers() -> dict[str, Provider]:
    """The services that the settings name, by name; the first is offered to buyers."""
    if not settings.STRIPE_SECRET_KEY:
        return {}
    stripe = _stripe(
        settings.STRIPE_SECRET_KEY,
        settings.STRIPE_WEBHOOK_SECRET,
        settings.STRIPE_API_BASE,
        tuple(settings.STRIPE_PAYMENT_METHODS),
    )
    return {stripe.name: stripe}


def provider(name: str) -> Provider:
    """The service by its name; raises `NotFound`, also for one that is not set up any more."""
    found = providers().get(name)
    if found is None:
        raise NotFound(f"no payment service {name!r} is set up")
    return found


def label(name: str) -> str:
    """What people call a service, also one that is not set up any more."""
    return str(LABELS.get(name, name))


def online_for(seller: Seller) -> Provider | None:
    """What a buyer of this seller can pay with online, if anything.

    A sandbox seller's orders are practice: no real money may move for them.
    """
    if seller.is_sandbox or not seller.takes_online:
        return None
    return next(iter(providers().values()), None)


@lru_cache(maxsize=4)
def _stripe(key: str, webhook_secret: str, base: str, methods: tuple[str, ...]) -> Provider:
    # By name: importing the SDK takes half a second, which an instance without it need not spend.
    kind = import_string("orders.payments.stripe.Stripe")
    made: Provider = kind(key, webhook_secret, base, methods)
    return made
