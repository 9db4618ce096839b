"""Sellers and goods, for operators. Stock is shown here and changed by counting, in the studio."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core.forms import TypedForm
from sellers.models import (
    DeliveryZone,
    Member,
    PickupPoint,
    Product,
    Seller,
    Stock,
    StockMovement,
    Variant,
)


class ReadOnly:
    """Nothing is added, changed or deleted by hand: a service writes it, with its ledger."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class MemberInline(admin.TabularInline[Member, Seller]):
    model = Member
    extra = 0
    autocomplete_fields = ["user"]


class PickupPointInline(admin.TabularInline[PickupPoint, Seller]):
    model = PickupPoint
    form = TypedForm
    extra = 0


class DeliveryZoneInline(ReadOnly, admin.TabularInline[DeliveryZone, Seller]):
    """To be read: the studio sees to it that a region is in one zone only."""

    model = DeliveryZone
    extra = 0


@admin.register(Seller)
class SellerAdmin(admin.ModelAdmin[Seller]):
    form = TypedForm
    list_display = ["name", "place", "currency", "is_sandbox", "created_at"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"currency": settings.CURRENCY, **super().get_changeform_initial_data(request)}

    list_filter = ["is_sandbox"]
    search_fields = ["name", "place"]
    inlines = [MemberInline, PickupPointInline, DeliveryZoneInline]


class VariantInline(ReadOnly, admin.TabularInline[Variant, Product]):
    model = Variant
    extra = 0


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin[Product]):
    form = TypedForm
    list_display = ["title", "seller", "created_at"]
    list_filter = ["seller"]
    list_select_related = ["seller"]
    search_fields = ["title"]
    readonly_fields = ["seller", "image_key"]
    inlines = [VariantInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Stock)
class StockAdmin(ReadOnly, admin.ModelAdmin[Stock]):
    list_display = ["variant", "on_hand", "reserved", "available"]
    list_select_related = ["variant__product"]
    search_fields = ["variant__title", "variant__product__title"]


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnly, admin.ModelAdmin[StockMovement]):
    list_display = ["at", "variant", "kind", "on_hand_change", "reserved_change", "reason", "actor"]
    list_filter = ["kind"]
    list_select_related = ["variant__product", "actor"]
    date_hierarchy = "at"
