"""Reads of goods that more than one caller needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, QuerySet, Sum

from sellers.models import Product, Seller, StockMovement, Variant


def products_of(sellers: Iterable[Seller]) -> QuerySet[Product]:
    """The sellers' products with variants and stock, the newest first."""
    return (
        Product.objects.filter(seller__in=sellers)
        .select_related("seller")
        .prefetch_related("variants__stock")
        .order_by("-pk")
    )


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A movement, and how many were in the house and promised after it."""

    movement: StockMovement
    on_hand: int
    reserved: int


def ledger(variant: Variant, *, before: int | None = None, size: int) -> list[LedgerLine]:
    """The newest movements of a variant, or those older than the one with this primary key."""
    movements = variant.movements.select_related("actor").order_by("-pk")
    if before is not None:
        movements = movements.filter(pk__lt=before)
    rows = list(movements[:size])
    if not rows:
        return []
    sums = variant.movements.filter(pk__lte=rows[0].pk).aggregate(
        on_hand=Sum("on_hand_change"), reserved=Sum("reserved_change")
    )
    on_hand, reserved = sums["on_hand"], sums["reserved"]
    lines = []
    for row in rows:
        lines.append(LedgerLine(row, on_hand, reserved))
        on_hand, reserved = on_hand - row.on_hand_change, reserved - row.reserved_change
    return lines


def low_variants(sellers: Iterable[Seller]) -> QuerySet[Variant]:
    """What is on sale and so few are left of that its seller wants to know, the fewest first."""
    left = F("stock__on_hand") - F("stock__reserved")
    return (
        Variant.objects.filter(product__seller__in=sellers, is_active=True, low_at__gt=0)
        .annotate(left=left)
        .filter(left__lte=F("low_at"))
        .select_related("product", "stock")
        .order_by("left", "product__title", "pk")
    )


def variants_on_sale(seller: Seller) -> QuerySet[Variant]:
    """What the seller can offer in a show, by title."""
    return (
        Variant.objects.filter(product__seller=seller, is_active=True)
        .select_related("product__seller", "stock")
        .order_by("product__title", "title", "pk")
    )
