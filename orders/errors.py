"""What can go wrong with buying."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.clock import epoch_ms
from core.errors import AppError, Conflict, InvalidInput
from core.money import format_money
from sellers.errors import SoldOut


class PriceChanged(Conflict):
    """A price, the fee or the total is not the one that the buyer saw.

    `details` has what holds now: `lines` ([{offer_id, variant_id, price_minor}]), `fee_minor`,
    `total_minor` and `currency`; of a changed price also `price_minor`.
    """

    code = "price_changed"

    def __init__(self, field: str, now_minor: int, details: Mapping[str, object]) -> None:
        price = format_money(now_minor, str(details["currency"]))
        is_price = field.endswith("price_minor")
        said = _("The price is %(price)s now.") if is_price else _("It is %(price)s in all now.")
        more = {"price_minor": now_minor} if is_price else {}
        super().__init__(said % {"price": price}, field=field, details={**details, **more})


class KeyReused(Conflict):
    """The same idempotency key came with another request."""

    code = "key_reused"
    status = 422

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message or _("This was already ordered, and differently. Please look at your orders.")
        )


class OfferNotOpen(Conflict):
    """It cannot be ordered yet; `opens_at` is None for what opens when the host taps."""

    code = "offer_not_open"

    def __init__(self, opens_at: datetime | None, field: str) -> None:
        super().__init__(
            _("This cannot be ordered yet."),
            field=field,
            details={"opens_at_ms": _ms(opens_at)},
        )
        self.opens_at = opens_at


class OfferClosed(Conflict):
    """The time of this offer is over."""

    code = "offer_closed"

    def __init__(self, closed_at: datetime, field: str) -> None:
        super().__init__(
            _("This offer is over."), field=field, details={"closes_at_ms": _ms(closed_at)}
        )


class OfferSoldOut(SoldOut):
    """The show has sold as many as it meant to, whatever is in stock."""

    code = "offer_sold_out"


class LimitReached(Conflict):
    """One buyer may have `per_buyer` of this offer and has ordered `already`."""

    code = "limit_reached"

    def __init__(self, per_buyer: int, already: int, field: str) -> None:
        message = ngettext(
            "Everybody can order at most %(count)d of this.",
            "Everybody can order at most %(count)d of this.",
            per_buyer,
        ) % {"count": per_buyer}
        if already:
            message += " " + ngettext(
                "You have ordered %(count)d.", "You have ordered %(count)d.", already
            ) % {"count": already}
        super().__init__(message, field=field, details={"per_buyer": per_buyer, "already": already})


class NotDelivered(Conflict):
    """The seller does not deliver to this region."""

    code = "not_delivered"

    def __init__(self, region: str) -> None:
        super().__init__(
            _("The seller does not deliver there."),
            field="delivery.region",
            details={"region": region},
        )


class RegionNeeded(InvalidInput):
    """What delivery costs depends on where it goes."""

    def __init__(self) -> None:
        super().__init__(_("Please choose the region."), field="delivery.region")


class BelowMinimum(Conflict):
    """The goods are worth less than the seller's smallest order, `min_order_minor`."""

    code = "below_minimum"

    def __init__(self, min_order_minor: int, goods_minor: int, currency: str) -> None:
        super().__init__(
            _("Add goods for %(more)s more (delivery does not count).")
            % {"more": format_money(min_order_minor - goods_minor, currency)},
            field="lines",
            details={
                "min_order_minor": min_order_minor,
                "goods_minor": goods_minor,
                "currency": currency,
            },
        )


class PaymentNotOffered(Conflict):
    """The seller does not take this way of paying."""

    code = "payment_not_offered"

    def __init__(self, offered: list[str]) -> None:
        super().__init__(
            _("Please choose another way to pay."),
            field="payment_method",
            details={"payment_methods": offered},
        )


class TryAgain(AppError):
    """Not now: too many wait, or the process ends. The same key makes asking again safe."""

    code = "try_again"
    status = 503

    def __init__(self, retry_after: float = 1.0) -> None:
        super().__init__(
            _("That did not work just now. Please try again: you will not get it twice."),
            retry_after=retry_after,
        )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else epoch_ms(moment)
