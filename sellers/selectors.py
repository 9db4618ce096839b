"""Reads of goods that more than one caller needs."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from sellers.models import Product, Seller, Variant


def products_of(sellers: Iterable[Seller]) -> QuerySet[Product]:
    """The sellers' products with variants and stock, the newest first."""
    return (
        Product.objects.filter(seller__in=sellers)
        .select_related("seller")
        .prefetch_related("variants__stock")
        .order_by("-pk")
    )


def variants_on_sale(seller: Seller) -> QuerySet[Variant]:
    """What the seller can offer in a show, by title."""
    return (
        Variant.objects.filter(product__seller=seller, is_active=True)
        .select_related("product__seller", "stock")
        .order_by("product__title", "title", "pk")
    )
