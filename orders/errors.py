"""What can go wrong with buying."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.errors import Conflict
from core.money import format_money


class PriceChanged(Conflict):
    """The price is not the one that the buyer saw; `price_minor` is the one now."""

    code = "price_changed"

    def __init__(self, price_minor: int, currency: str) -> None:
        super().__init__(
            _("The price is %(price)s now.") % {"price": format_money(price_minor, currency)},
            field="price_minor",
            details={"price_minor": price_minor, "currency": currency},
        )
        self.price_minor = price_minor


class KeyReused(Conflict):
    """The same idempotency key came with another request."""

    code = "key_reused"
    status = 422

    def __init__(self) -> None:
        super().__init__(
            _("This was already ordered, and differently. Please look at your orders.")
        )
