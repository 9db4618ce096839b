"""What orders are made from: everything that a group of them reads, in few queries.

Read to place (`locked`), the rows of offers and stock are ours until commit, offers before stock
and each in the order of their keys, and what is granted is taken off what is left here. Read to
quote, nothing is locked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db.models import Sum

from core import bulk
from core.clock import now
from orders.models import GONE, Offer, OrderLine
from orders.requests import Line
from sellers.models import DeliveryZone, PickupPoint, Product, Seller, Stock, Variant
from sellers.services import stock


@dataclass(frozen=True, slots=True)
class Pick:
    """A line with what it names; `field` is the line's path in the request."""

    line: Line
    variant: Variant
    offer: Offer | None
    field: str

    @property
    def seller(self) -> Seller:
        return self.variant.product.seller

    @property
    def title(self) -> str:
        return str(self.variant)

    @property
    def quantity(self) -> int:
        return self.line.quantity

    @property
    def price_minor(self) -> int:
        """What one costs now."""
        return self.variant.price_minor if self.offer is None else self.offer.price_minor


@dataclass(slots=True)
class Shelf:
    """Offers, goods, stock and terms as they are at `at`, less what has been granted."""

    at: datetime
    _offers: dict[UUID, Offer]
    _by_pk: dict[int, Variant]
    _by_id: dict[UUID, Variant]
    _stock: dict[int, Stock]
    _bought: Counter[tuple[int, int]]
    _zones: dict[int, list[DeliveryZone]]
    _points: dict[UUID, PickupPoint]
    _taken: Counter[int] = field(default_factory=Counter)
    _sold: Counter[int] = field(default_factory=Counter)

    def pick(self, line: Line, show_id: UUID | None, where: str) -> Pick | None:
        """What the line names, if it is sold: an offer of this show, or a variant."""
        offer = self._offers.get(line.offer_id) if line.offer_id else None
        if line.offer_id is None:
            variant = self._by_id.get(line.variant_id) if line.variant_id else None
        elif offer is None or offer.show_id != show_id:
            return None
        else:
            variant = self._by_pk.get(offer.variant_id)
        if variant is None or not variant.is_active:
            return None
        return Pick(line, variant, offer, where)

    def available(self, pick: Pick) -> int:
        """How many of the variant are in stock for nobody yet."""
        row = self._stock.get(pick.variant.id)
        return row.available - self._taken[row.variant_id] if row else 0

    def left(self, offer: Offer) -> int | None:
        """How many the show still means to sell; None: as many as there are."""
        if offer.quantity is None:
            return None
        return max(0, offer.quantity - offer.sold - self._sold[offer.id])

    def bought(self, offer: Offer, buyer_pk: int | None) -> int:
        """How many of this offer the buyer has ordered, as far as it was asked with `buyers`."""
        return 0 if buyer_pk is None else self._bought[offer.id, buyer_pk]

    def zones(self, seller: Seller) -> list[DeliveryZone]:
        return self._zones.get(seller.id, [])

    def point(self, point_id: UUID, seller: Seller) -> PickupPoint | None:
        point = self._points.get(point_id)
        return point if point and point.seller_id == seller.id else None

    def grant(self, picks: Iterable[Pick], buyer_pk: int) -> None:
        """Take these off what is left for whoever comes next."""
        for pick in picks:
            self._taken[pick.variant.id] += pick.line.quantity
            if pick.offer is not None:
                self._sold[pick.offer.id] += pick.line.quantity
                self._bought[pick.offer.id, buyer_pk] += pick.line.quantity


def read(
    lines: Sequence[Line],
    *,
    buyers: Collection[int] = (),
    points: Collection[UUID] = (),
    locked: bool = False,
) -> Shelf:
    """Everything that these lines name. `buyers` (primary keys): whose limits are looked at."""
    offers = _offers({line.offer_id for line in lines if line.offer_id}, locked=locked)
    variants = [offer.variant for offer in offers]
    variants += _variants({line.variant_id for line in lines if line.variant_id})
    limited = [offer.id for offer in offers if offer.per_buyer is not None]
    pks = {variant.id for variant in variants}
    return Shelf(
        at=now(),
        _offers={offer.public_id: offer for offer in offers},
        _by_pk={variant.id: variant for variant in variants},
        _by_id={variant.public_id: variant for variant in variants},
        _stock=stock.locked(pks) if locked else Stock.objects.in_bulk(pks),
        _bought=already_bought(limited, buyers),
        _zones=_zones({variant.product.seller_id for variant in variants}),
        _points=_points(points),
    )


def _offers(ids: Collection[UUID], *, locked: bool) -> list[Offer]:
    """In the order of their keys, with all that they are offers of."""
    if not ids:
        return []
    sql = _offers_sql(bulk.rows(id="uuid"), locks=locked and bulk.locks_rows())
    found = bulk.read(sql, bulk.encode((one,) for one in ids), Offer, Variant, Product, Seller)
    for offer, variant, product, seller in found:
        offer.variant, variant.product, product.seller = variant, product, seller
    return [offer for offer, *_goods in found]


@cache
def _offers_sql(names: str, *, locks: bool) -> str:
    """The statement that reads offers by their public ids, and locks them."""
    chosen = zip((Offer, Variant, Product, Seller), "ovps", strict=True)
    return (
        f"SELECT {', '.join(bulk.columns(model, alias) for model, alias in chosen)} "  # noqa: S608
        'FROM "orders_offer" o JOIN "sellers_variant" v ON v.id = o.variant_id '
        'JOIN "sellers_product" p ON p.id = v.product_id '
        'JOIN "sellers_seller" s ON s.id = p.seller_id '
        f"WHERE o.public_id IN (SELECT r.id FROM {names}) ORDER BY o.id"
        f"{' FOR NO KEY UPDATE OF o' if locks else ''}"
    )


def _variants(ids: Collection[UUID]) -> list[Variant]:
    if not ids:
        return []
    rows = Variant.objects.select_related("product__seller").filter(public_id__in=ids)
    return list(rows)


def already_bought(offer_pks: Collection[int], buyers: Collection[int]) -> Counter[tuple[int, int]]:
    """Pieces of each offer in each buyer's orders, without those that are gone.

    Asked under the lock of the offers' rows, nobody can be adding to it.
    """
    if not offer_pks or not buyers:
        return Counter()
    lines = OrderLine.objects.filter(offer__in=offer_pks, order__buyer__in=buyers)
    sums = lines.exclude(order__state__in=GONE).values_list("offer_id", "order__buyer_id")
    return Counter(
        {(offer, buyer): total for offer, buyer, total in sums.annotate(Sum("quantity"))}
    )


def _zones(sellers: Collection[int]) -> dict[int, list[DeliveryZone]]:
    sql = (
        f'SELECT {bulk.columns(DeliveryZone, "z")} FROM "sellers_deliveryzone" z '  # noqa: S608
        f"WHERE z.seller_id IN (SELECT r.pk FROM {bulk.rows(pk='bigint')}) ORDER BY z.id"
    )
    found: dict[int, list[DeliveryZone]] = {}
    for (zone,) in bulk.read(sql, bulk.encode((pk,) for pk in sellers), DeliveryZone):
        found.setdefault(zone.seller_id, []).append(zone)
    return found


def _points(ids: Collection[UUID]) -> dict[UUID, PickupPoint]:
    if not ids:
        return {}
    rows = PickupPoint.objects.filter(public_id__in=ids, is_active=True)
    return {point.public_id: point for point in rows}
