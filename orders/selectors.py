"""Reads of what is bought that more than one caller needs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import Count, QuerySet, Sum, Value
from django.db.models.functions import Replace

from core.accounts.access import AnyUser, is_signed_in
from core.accounts.models import User
from core.clock import epoch_ms
from orders.models import (
    GONE,
    Address,
    ClaimState,
    Offer,
    Order,
    OrderLine,
    OrderState,
    Refund,
    RefundClaim,
    RefundState,
)
from sellers.models import Seller

TO_PACK = (OrderState.PLACED, OrderState.PAID)
AT_THEIR_END = (
    OrderState.DELIVERED,
    OrderState.CANCELLED,
    OrderState.EXPIRED,
    OrderState.REFUNDED,
)


class OfferView(msgspec.Struct, frozen=True):
    """An offer as a room shows it.

    Of two views of an offer the higher `version` holds, and of what is in stock the higher
    `stock_version`. It can be ordered from `opens_at_ms` until `closes_at_ms` (milliseconds since
    1970, by the server's clock), where those are set; one that opens `on_tap` waits for the host.
    `quantity` is how many the show means to sell, of which `sold` are, and `left` how many there
    are now: stock that falls below it counts. Each buyer may have `per_buyer`. The seller counts
    `low_at` in stock, or fewer, as few; 0: never.
    """

    id: UUID
    variant_id: UUID
    title: str
    price_minor: int
    currency: str
    available: int
    stock_version: int
    image_url: str | None
    quantity: int | None = None
    sold: int = 0
    left: int = 0
    per_buyer: int | None = None
    opens_at_ms: int | None = None
    closes_at_ms: int | None = None
    on_tap: bool = False
    version: int = 0
    unit: str = "box"
    low_at: int = 0


class ToPack(msgspec.Struct, frozen=True):
    """How many of one thing wait to be packed."""

    title: str
    quantity: int


class MoneyTroubles(msgspec.Struct, frozen=True):
    """Claims that nobody answered yet, and refunds that could not be paid back."""

    claims: int
    not_paid_back: int


def offer_views(show_id: UUID) -> list[OfferView]:
    """What a show sells, in its order."""
    offers = Offer.objects.filter(show_id=show_id, variant__is_active=True)
    return [offer_view(offer) for offer in with_goods(offers)]


def with_goods(offers: QuerySet[Offer]) -> QuerySet[Offer]:
    """The offers with all that `offer_view` reads, in one query."""
    return offers.select_related("variant__product__seller", "variant__stock")


def offer_view(offer: Offer) -> OfferView:
    """One offer as a room shows it; of a query `with_goods`, this asks the database nothing."""
    variant = offer.variant
    return OfferView(
        id=offer.public_id,
        variant_id=variant.public_id,
        title=str(variant),
        price_minor=offer.price_minor,
        currency=variant.product.seller.currency,
        available=variant.stock.available,
        stock_version=variant.stock.version,
        image_url=variant.product.image_url,
        quantity=offer.quantity,
        sold=offer.sold,
        left=_left(offer, variant.stock.available),
        per_buyer=offer.per_buyer,
        opens_at_ms=epoch_ms(offer.opens_at) if offer.opens_at else None,
        closes_at_ms=epoch_ms(offer.closes_at) if offer.closes_at else None,
        on_tap=offer.on_tap,
        version=offer.version,
        unit=variant.unit,
        low_at=variant.low_at,
    )


def _left(offer: Offer, available: int) -> int:
    return available if offer.quantity is None else min(available, offer.quantity - offer.sold)


def bought_in_show(user: AnyUser, show_id: UUID) -> dict[str, int]:
    """How many of each of the show's offers the user has ordered, by the offers' public ids."""
    if not is_signed_in(user):
        return {}
    lines = OrderLine.objects.filter(offer__show_id=show_id, order__buyer=user)
    sums = lines.exclude(order__state__in=GONE).values_list("offer__public_id")
    return {str(offer_id): total for offer_id, total in sums.annotate(Sum("quantity"))}


def orders_of_buyer(user: User) -> QuerySet[Order]:
    """A buyer's orders, the newest first, with their lines and pictures."""
    return _with_lines(Order.objects.filter(buyer=user))


def found_orders(orders: QuerySet[Order], some: str, number: str) -> QuerySet[Order]:
    """Of these, those to pay, under way or done, whose number has these digits; "": all."""
    digits = "".join(one for one in unicodedata.normalize("NFKC", number) if one.isdecimal())
    if number:
        orders = orders.annotate(digits=Replace("number", Value("-"))).filter(
            digits__contains=digits or number[:16]
        )
    match some:
        case "to_pay":
            return orders.filter(state=OrderState.HELD)
        case "under_way":
            return orders.exclude(state__in=(*AT_THEIR_END, OrderState.HELD))
        case "done":
            return orders.filter(state__in=AT_THEIR_END)
        case _:
            return orders


def orders_under_way(user_id: UUID) -> QuerySet[Order]:
    """Orders of this person (public id) that can still move by themselves, the newest first."""
    return Order.objects.filter(buyer__public_id=user_id).exclude(state__in=AT_THEIR_END)


def orders_of_seller(sellers: Seller | Iterable[Seller]) -> QuerySet[Order]:
    """A seller's orders (or several sellers'), the newest first."""
    chosen = [sellers] if isinstance(sellers, Seller) else sellers
    return _with_lines(Order.objects.filter(seller__in=chosen))


def _with_lines(orders: QuerySet[Order]) -> QuerySet[Order]:
    return orders.select_related("seller", "buyer", "pickup_point").prefetch_related(
        "lines__variant__product"
    )


def counts_by_state(orders: QuerySet[Order]) -> dict[str, int]:
    """How many orders are in each state; states that none is in count 0."""
    found = orders.order_by().values_list("state").annotate(Count("pk"))
    return {state.value: 0 for state in OrderState} | dict(found)


def to_pack(orders: QuerySet[Order]) -> list[ToPack]:
    """What the orders that wait to be packed add up to, the most first."""
    waiting = orders.order_by().filter(state__in=TO_PACK)
    sums = (
        OrderLine.objects.filter(order__in=waiting.values("pk"))
        .values("title")
        .annotate(total=Sum("quantity"))
        .order_by("-total", "title")
    )
    return [ToPack(title=row["title"], quantity=row["total"]) for row in sums]


def waiting_orders(sellers: Iterable[Seller]) -> int:
    """How many orders wait to be packed."""
    return Order.objects.filter(seller__in=sellers, state__in=TO_PACK).count()


def money_troubles(sellers: Iterable[Seller]) -> MoneyTroubles:
    """What of the money in these sellers' orders waits for somebody."""
    claims = RefundClaim.objects.filter(order__seller__in=sellers, state=ClaimState.OPEN)
    failed = Refund.objects.filter(payment__order__seller__in=sellers, state=RefundState.FAILED)
    return MoneyTroubles(claims=claims.count(), not_paid_back=failed.count())


def sold_in_show(show_id: UUID) -> list[tuple[datetime, int]]:
    """When how many pieces were ordered through a show, in order, without what was given back."""
    orders = Order.objects.filter(show_id=show_id).exclude(state__in=GONE)
    found = orders.order_by("placed_at").values_list("placed_at").annotate(Sum("lines__quantity"))
    return [(at, quantity or 0) for at, quantity in found]


def addresses_of(user: User) -> QuerySet[Address]:
    """Where the buyer had orders sent, the last used first."""
    return Address.objects.filter(user=user)
