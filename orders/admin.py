"""Orders, for operators: to be read here, and moved in the studio, where stock follows."""

from __future__ import annotations

from django.contrib import admin

from orders.models import Offer, Order, OrderLine, OrderMove
from sellers.admin import ReadOnly


class LineInline(ReadOnly, admin.TabularInline[OrderLine, Order]):
    model = OrderLine


class MoveInline(ReadOnly, admin.TabularInline[OrderMove, Order]):
    model = OrderMove


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin[Order]):
    list_display = ["number", "state", "seller", "buyer", "total", "delivery", "placed_at"]
    list_filter = ["state", "seller", "delivery"]
    list_select_related = ["seller", "buyer"]
    search_fields = ["number", "phone", "recipient", "buyer__username"]
    date_hierarchy = "placed_at"
    exclude = ["idempotency_key", "request_hash"]
    inlines = [LineInline, MoveInline]


@admin.register(Offer)
class OfferAdmin(ReadOnly, admin.ModelAdmin[Offer]):
    list_display = ["variant", "price", "show_id", "created_at"]
    list_select_related = ["variant__product__seller"]
