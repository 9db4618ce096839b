"""What a show sells, and on which terms. Every change has a version and is told to the room."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from core import outbox
from core.accounts.models import User
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound
from orders.events import OfferRemoved
from orders.models import GONE, Offer, Order, OrderLine
from orders.services.counters import tell_changed
from sellers.access import KEEPERS, member_of
from sellers.models import Variant
from sellers.services.catalogue import HIGHEST_PRICE_MINOR

OPEN_LEAD = timedelta(seconds=3)
"""Between the host's tap and the opening: so long the news may take to the slowest phone."""
MOST_OFFERED = 1_000_000
LONGEST_S = 7 * 24 * 3600


@transaction.atomic
def put_on_sale(
    show_id: UUID,
    variant: Variant,
    *,
    price_minor: int | None = None,
    position: int = 0,
    quantity: int | None = None,
    per_buyer: int | None = None,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
    on_tap: bool = False,
    lasts_s: int | None = None,
) -> Offer:
    """Offer a variant in a show, at its own price if none is given; again: change its terms.

    `quantity`: how many the show means to sell, not fewer than it has sold. `opens_at` and
    `closes_at` are for offers with a window; one that opens `on_tap` has none until `open_now`,
    and then for `lasts_s` seconds. A drop that was opened stays as it is unless
    its window is given. Who may do so for the show is the caller's to decide. Raises
    `InvalidInput` naming the field.
    """
    terms = {
        "price_minor": _price(variant.price_minor if price_minor is None else price_minor),
        "position": position,
        "quantity": _count(quantity, "quantity"),
        "per_buyer": _count(per_buyer, "per_buyer"),
        "on_tap": on_tap,
        "lasts_s": _count(lasts_s, "lasts_s", most=LONGEST_S),
        **_window(opens_at, closes_at, on_tap=on_tap),
    }
    offer = (
        Offer.objects.select_for_update(no_key=True, of=("self",))
        .filter(show_id=show_id, variant=variant)
        .first()
    )
    if offer is None:
        offer = Offer.objects.create(show_id=show_id, variant=variant, version=1, **terms)
        _take_up_sold(offer)
        tell_changed(pk=offer.pk)
        return offer
    return _change(offer, terms)


def _take_up_sold(offer: Offer) -> None:
    """What the show sold of it before it was taken out counts on, also for each buyer's limit."""
    lines = OrderLine.objects.filter(
        order__show_id=offer.show_id, variant=offer.variant_id, offer=None
    )
    _lock_orders(lines)
    holding = lines.exclude(order__state__in=GONE)
    sold = holding.aggregate(total=Sum("quantity", default=0))["total"]
    _check_sold(offer.quantity, sold)
    lines.update(offer=offer)
    offer.sold = sold
    offer.save(update_fields=["sold"])


def _lock_orders(lines: QuerySet[OrderLine]) -> None:
    """Nobody moves these orders meanwhile; their rows come before those of offers."""
    orders = Order.objects.select_for_update(no_key=True).filter(pk__in=lines.values("order"))
    list(orders.order_by("pk").values_list("pk"))


@transaction.atomic
def take_off_sale(show_id: UUID, variant: Variant) -> Offer | None:
    """Take an offer out of its show, and tell the room; what it was, or None if there was none.

    Orders already placed keep their price, and are counted again if it is put back.
    """
    _lock_orders(OrderLine.objects.filter(offer__show_id=show_id, offer__variant=variant))
    rows = Offer.objects.select_for_update(of=("self",))
    offer = rows.filter(show_id=show_id, variant=variant).first()
    if offer is None:
        return None
    name, version = offer.public_id, offer.version + 1
    Offer.objects.filter(pk=offer.pk).delete()
    outbox.publish(OfferRemoved(show_id=show_id, offer_id=name, version=version, at=now()))
    return offer


def open_now(offer_id: UUID, actor: User) -> Offer:
    """The host's tap: the drop opens for everybody `OPEN_LEAD` from now; again: the same answer.

    What was closed opens anew. Raises `NotFound` for who does not keep the seller's goods, and
    `Conflict` for an offer that does not open on a tap.
    """
    offer = _offer_to_keep(offer_id, actor)
    if not offer.on_tap:
        raise Conflict(_("This offer does not wait for a tap."), field="offer_id")
    opens_at = now() + OPEN_LEAD
    closes_at = opens_at + timedelta(seconds=offer.lasts_s) if offer.lasts_s else None
    shut = Q(opens_at=None) | Q(closes_at__lte=now())
    return _move(offer, shut, opens_at=opens_at, closes_at=closes_at)


def close_now(offer_id: UUID, actor: User) -> Offer:
    """End an offer's time; again: the same answer. Raises `NotFound`, as `open_now`."""
    offer = _offer_to_keep(offer_id, actor)
    if offer.on_tap and offer.opens_at is None:
        return offer  # it has not been open
    going_on = Q(closes_at=None) | Q(closes_at__gt=now())
    return _move(offer, going_on, closes_at=now())


def _move(offer: Offer, condition: Q, **window: datetime | None) -> Offer:
    """Change the window of an offer for which this still holds, and tell; else leave it."""
    with transaction.atomic():
        rows = Offer.objects.filter(condition, pk=offer.pk)
        if rows.update(version=F("version") + 1, **window):
            tell_changed(pk=offer.pk)
    offer.refresh_from_db()
    return offer


def _change(offer: Offer, terms: dict[str, Any]) -> Offer:
    """Other terms for an offer whose row is ours; the same terms change nothing."""
    if offer.on_tap and terms["on_tap"] and terms["opens_at"] is None:
        del terms["opens_at"], terms["closes_at"]  # what was tapped stays tapped
    _check_sold(terms["quantity"], offer.sold)
    changed = [name for name, value in terms.items() if getattr(offer, name) != value]
    if changed:
        for name in changed:
            setattr(offer, name, terms[name])
        offer.version += 1
        offer.save(update_fields=[*changed, "version"])
        tell_changed(pk=offer.pk)
    return offer


def _check_sold(quantity: int | None, sold: int) -> None:
    if quantity is not None and quantity < sold:
        message = _("%(sold)d are sold already.") % {"sold": sold}
        raise InvalidInput(message, field="quantity", details={"sold": sold})


def _offer_to_keep(offer_id: UUID, actor: User) -> Offer:
    """The offer, for the seller's keepers and operators; raises `NotFound` for others."""
    rows = Offer.objects.select_related("variant__product__seller")
    offer = rows.filter(public_id=offer_id).first()
    if offer is None:
        raise NotFound(_("This show has no such offer."), field="offer_id")
    member_of(actor, offer.variant.product.seller, *KEEPERS)
    return offer


def _price(price_minor: int) -> int:
    if not 1 <= price_minor <= HIGHEST_PRICE_MINOR:
        raise InvalidInput(_("Please write a price that somebody could pay."), field="price_minor")
    return price_minor


def _count(value: int | None, field: str, *, most: int = MOST_OFFERED) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        message = _("Please write a whole number between 1 and %(most)d, or nothing.")
        raise InvalidInput(message % {"most": most}, field=field)
    return value


def _window(
    opens_at: datetime | None, closes_at: datetime | None, *, on_tap: bool
) -> dict[str, datetime | None]:
    for name, moment in (("opens_at", opens_at), ("closes_at", closes_at)):
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"{name} has no time zone")
    if closes_at is not None and opens_at is not None and closes_at <= opens_at:
        raise InvalidInput(_("It has to close after it opens."), field="closes_at")
    if closes_at is not None and on_tap and opens_at is None:
        raise InvalidInput(_("What opens on a tap closes after a time."), field="closes_at")
    return {"opens_at": opens_at, "closes_at": closes_at}
