"""Orders, for operators: to be read here, and moved in the studio, where stock follows."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.accounts.access import signed_in
from core.errors import AppError
from orders.models import (
    ClaimPhoto,
    Order,
    OrderLine,
    OrderMove,
    Payment,
    PaymentNotice,
    Refund,
    RefundClaim,
)
from orders.services.refunds import try_again
from sellers.admin import ReadOnly


class LineInline(ReadOnly, admin.TabularInline[OrderLine, Order]):
    model = OrderLine


class MoveInline(ReadOnly, admin.TabularInline[OrderMove, Order]):
    model = OrderMove


class PaymentInline(ReadOnly, admin.TabularInline[Payment, Order]):
    model = Payment
    fields = ["provider", "state", "is_surplus", "amount_minor", "started_at", "settled_at"]


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin[Order]):
    list_display = ["number", "state", "seller", "buyer", "total", "delivery", "placed_at"]
    list_filter = ["state", "seller", "delivery"]
    list_select_related = ["seller", "buyer"]
    search_fields = ["number", "phone", "recipient", "buyer__username"]
    date_hierarchy = "placed_at"
    exclude = ["idempotency_key", "request_hash"]
    inlines = [LineInline, MoveInline, PaymentInline]


class RefundInline(ReadOnly, admin.TabularInline[Refund, Payment]):
    model = Refund
    fields = ["amount_minor", "state", "reason", "attempts", "last_error", "asked_at", "settled_at"]


@admin.register(Payment)
class PaymentAdmin(ReadOnly, admin.ModelAdmin[Payment]):
    list_display = ["order", "provider", "state", "is_surplus", "amount", "started_at"]
    list_filter = ["state", "is_surplus", "provider"]
    list_select_related = ["order"]
    search_fields = ["order__number", "reference", "charge"]
    date_hierarchy = "started_at"
    exclude = ["show_as"]
    inlines = [RefundInline]


@admin.register(Refund)
class RefundAdmin(ReadOnly, admin.ModelAdmin[Refund]):
    """What failed needs a person: here it can be tried again, or be paid back at the provider."""

    list_display = [
        "payment",
        "amount_minor",
        "state",
        "reason",
        "attempts",
        "last_error",
        "try_at",
    ]
    list_filter = ["state", "payment__provider"]
    list_select_related = ["payment__order"]
    search_fields = ["payment__order__number", "reference"]
    date_hierarchy = "asked_at"
    exclude = ["key"]
    actions = ["try_failed_again"]

    @admin.action(description=gettext_lazy("Try again what could not be paid back"))
    def try_failed_again(self, request: HttpRequest, chosen: QuerySet[Refund]) -> None:
        for refund in chosen.select_related("payment"):
            try:
                try_again(refund, signed_in(request.user))
            except AppError as error:
                self.message_user(request, f"{refund}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, _("It is on its way again."))


@admin.register(PaymentNotice)
class PaymentNoticeAdmin(ReadOnly, admin.ModelAdmin[PaymentNotice]):
    """What was flagged was not applied: look it up at the provider."""

    list_display = ["received_at", "provider", "kind", "outcome", "note", "event_id"]
    list_filter = ["outcome", "provider", "kind"]
    search_fields = ["event_id", "note"]
    date_hierarchy = "received_at"


class PhotoInline(ReadOnly, admin.TabularInline[ClaimPhoto, RefundClaim]):
    model = ClaimPhoto


@admin.register(RefundClaim)
class RefundClaimAdmin(ReadOnly, admin.ModelAdmin[RefundClaim]):
    list_display = ["order", "state", "amount_minor", "asked_at", "answered_at", "answered_by"]
    list_filter = ["state", "order__seller"]
    list_select_related = ["order", "answered_by"]
    search_fields = ["order__number", "text"]
    date_hierarchy = "asked_at"
    inlines = [PhotoInline]
