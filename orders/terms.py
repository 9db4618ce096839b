"""On which terms something is sold now: what stands between a buyer and an order, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from core.errors import AppError, InvalidInput, NotFound
from orders.errors import (
    BelowMinimum,
    LimitReached,
    OfferClosed,
    OfferNotOpen,
    OfferSoldOut,
    PriceChanged,
)
from orders.fees import delivery_fee, weight_of
from orders.models import Offer, PaymentMethod
from orders.payments import online_for
from orders.requests import Line
from orders.shelf import Pick, Shelf
from sellers.errors import SoldOut
from sellers.models import Seller


def pick_lines(shelf: Shelf, lines: tuple[Line, ...], show_id: UUID | None) -> list[Pick]:
    """What the lines name, as it is sold now, all of one seller; raises `NotFound`.

    Raises `InvalidInput` for two sellers, or for one variant named in two ways.
    """
    picks = [pick_line(shelf, place, line, show_id) for place, line in enumerate(lines)]
    if len(picks) == 1:
        return picks
    if len({pick.seller.id for pick in picks}) > 1:
        raise InvalidInput(_("Please order from one seller at a time."), field="lines")
    if len({pick.variant.id for pick in picks}) < len(picks):
        raise InvalidInput(_("This is in the order already."), field="lines")
    return picks


def pick_line(shelf: Shelf, place: int, line: Line, show_id: UUID | None) -> Pick:
    pick = shelf.pick(line, show_id, f"lines.{place}")
    if pick is None:
        raise NotFound(_("This is not on sale here."), field=f"lines.{place}.{line.named}")
    return pick


def line_problems(shelf: Shelf, pick: Pick, buyer_pk: int | None) -> Iterator[AppError]:
    """Why this line cannot be ordered now by this buyer; nothing: it can."""
    if pick.offer is not None:
        yield from _window_problems(pick.offer, shelf.at, f"{pick.field}.offer_id")
    available = shelf.available(pick)
    if pick.line.quantity > available:
        yield SoldOut(available, pick.variant.public_id, f"{pick.field}.quantity")
    if pick.offer is not None:
        yield from _offer_problems(shelf, pick, pick.offer, buyer_pk)


def _window_problems(offer: Offer, at: datetime, field: str) -> Iterator[AppError]:
    if offer.closes_at is not None and at >= offer.closes_at:
        yield OfferClosed(offer.closes_at, field)
    elif not is_open(offer, at):
        yield OfferNotOpen(offer.opens_at, field)


def is_open(offer: Offer, at: datetime) -> bool:
    """Whether its time has come; what opens on a tap waits for that."""
    if offer.opens_at is None:
        return not offer.on_tap
    return at >= offer.opens_at


def _offer_problems(
    shelf: Shelf, pick: Pick, offer: Offer, buyer_pk: int | None
) -> Iterator[AppError]:
    quantity, left = pick.line.quantity, shelf.left(offer)
    if left is not None and quantity > left:
        yield OfferSoldOut(left, pick.variant.public_id, f"{pick.field}.quantity")
    if offer.per_buyer is None:
        return
    already = shelf.bought(offer, buyer_pk)
    if is_over_limit(offer.per_buyer, already, quantity):
        yield LimitReached(offer.per_buyer, already, f"{pick.field}.quantity")


def is_over_limit(per_buyer: int, already: int, quantity: int) -> bool:
    return already + quantity > per_buyer


def goods_total(picks: list[Pick]) -> int:
    return sum(pick.price_minor * pick.line.quantity for pick in picks)


def fee_of(shelf: Shelf, picks: list[Pick], region: str | None) -> int:
    """What bringing it costs; `region` None: it is fetched. Raises as `delivery_fee`."""
    if region is None:
        return 0
    zones = shelf.zones(picks[0].seller)
    if not zones:
        return 0
    return delivery_fee(zones, region, weight_of_picks(picks), goods_total(picks))


def weight_of_picks(picks: list[Pick]) -> int:
    """In grams."""
    return weight_of((pick.variant, pick.line.quantity) for pick in picks)


def minimum_problem(seller: Seller, goods_minor: int) -> AppError | None:
    if goods_minor >= seller.min_order_minor:
        return None
    return BelowMinimum(seller.min_order_minor, goods_minor, seller.currency)


def too_little_alone(offer: Offer) -> bool:
    """Whether nobody can order this offer without something else: the most that a buyer may have
    of it is worth less than the seller's smallest order.
    """
    most = min((one for one in (offer.per_buyer, offer.quantity) if one), default=None)
    if most is None:
        return False
    return offer.price_minor * most < offer.variant.product.seller.min_order_minor


def payment_methods(seller: Seller) -> list[PaymentMethod]:
    """How this seller can be paid; online only where this instance has a payment service."""
    takes = {
        PaymentMethod.CASH_ON_DELIVERY: seller.takes_cash,
        PaymentMethod.ONLINE: online_for(seller) is not None,
    }
    return [method for method, taken in takes.items() if taken]


def check_seen(picks: list[Pick], fee_minor: int, total_minor: int | None) -> None:
    """Raises `PriceChanged` unless prices and total are those that the buyer saw."""
    goods_minor = goods_total(picks)
    now_minor = goods_minor + fee_minor
    changed = next((one for one in picks if one.price_minor != one.line.price_minor), None)
    seen = total_minor == now_minor or (total_minor is None and fee_minor == 0)
    if changed is None and seen:
        return
    details = {
        "lines": [
            {
                "offer_id": str(pick.line.offer_id) if pick.line.offer_id else None,
                "variant_id": str(pick.variant.public_id),
                "price_minor": pick.price_minor,
            }
            for pick in picks
        ],
        "goods_minor": goods_minor,
        "fee_minor": fee_minor,
        "total_minor": now_minor,
        "currency": picks[0].seller.currency,
    }
    if changed is not None:
        raise PriceChanged(f"{changed.field}.price_minor", changed.price_minor, details)
    raise PriceChanged("total_minor", now_minor, details)
